// The only place that calls the server. Owns the base path, the envelope of errors, the token against forged requests and
// what happens when a session has ended. It deliberately knows no route.
import { ApiFailure, failureOf } from "./failure";

export const BASE = "/api/v1";

export type Query = Record<string, string | number | boolean | null | undefined>;

let csrf: string | null = null;
let ended: () => void = () => {};

/** Sets the token that each changing request of a session carries. */
export function setCsrf(token: string | null): void {
  csrf = token;
}

/** Sets what is done when the server no longer knows who asks. */
export function onSessionEnd(act: () => void): void {
  ended = act;
}

/** A path with its parts escaped: `path("systems", name, "runs")`. */
export function path(...parts: (string | number)[]): string {
  return `/${parts.map((part) => encodeURIComponent(String(part))).join("/")}`;
}

/** A path with its query; what is empty is left out. */
export function withQuery(route: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${route}?${text}` : route;
}

interface Sent {
  method?: string;
  query?: Query;
  json?: unknown;
  text?: { type: string; body: string };
  signal?: AbortSignal;
}

async function send(route: string, { method = "GET", query, json, text, signal }: Sent): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  let body: string | undefined;
  if (text) {
    headers["content-type"] = text.type;
    body = text.body;
  } else if (json !== undefined) {
    headers["content-type"] = "application/json";
    body = JSON.stringify(json);
  }
  if (method !== "GET" && csrf) headers["x-csrf-token"] = csrf;
  let response: Response;
  try {
    response = await fetch(BASE + withQuery(route, query), {
      method,
      headers,
      body,
      signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiFailure(0, [{ code: "unreachable", detail: "the server cannot be reached" }], null);
  }
  if (!response.ok) {
    const read = await response.json().catch(() => null);
    const failure = failureOf(response.status, read, response.headers.get("x-request-id"));
    if (failure.kind === "unauthorized" && route !== "/session") ended();
    throw failure;
  }
  return response;
}

async function read<T>(response: Response): Promise<T> {
  if (response.status === 204) return null as T;
  const text = await response.text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

export const api = {
  get: async <T>(route: string, query?: Query, signal?: AbortSignal): Promise<T> =>
    read<T>(await send(route, { query, signal })),
  post: async <T>(route: string, json: unknown = {}, query?: Query): Promise<T> =>
    read<T>(await send(route, { method: "POST", json, query })),
  put: async <T>(route: string, json: unknown = {}): Promise<T> => read<T>(await send(route, { method: "PUT", json })),
  remove: async <T>(route: string, json: unknown = {}): Promise<T> =>
    read<T>(await send(route, { method: "DELETE", json })),
  postText: async <T>(route: string, type: string, body: string, query?: Query): Promise<T> =>
    read<T>(await send(route, { method: "POST", text: { type, body }, query })),
};
