// A server of the tests: answers by route, everything else is a route that is not there. Keeps what was sent.
import { vi } from "vitest";

export interface Sent {
  method: string;
  route: string;
  body: unknown;
}

export function answering(routes: Record<string, unknown>): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", (address: string, init: RequestInit = {}) => {
    const method = init.method ?? "GET";
    const route = String(address).replace("/api/v1", "");
    const body = typeof init.body === "string" ? JSON.parse(init.body) : null;
    if (method !== "GET") sent.push({ method, route, body });
    const known = routes[`${method} ${route}`] ?? routes[`${method} ${route.split("?")[0]}`];
    const answer = known ?? { errors: [{ code: "not_found", detail: "there is no such route" }] };
    return Promise.resolve(new Response(JSON.stringify(answer), { status: known === undefined ? 404 : 200 }));
  });
  return sent;
}
