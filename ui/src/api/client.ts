// The only place that calls the server. Owns the envelope of errors, the token against forged requests and what happens
// when a session has ended. It deliberately knows no route but that of the session itself; see `request.ts`.
import { ApiFailure, failureOf } from "./failure";
import { type ApiRequest, address } from "./request";

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

async function respond(request: ApiRequest, signal?: AbortSignal): Promise<Response> {
  const { method, content } = request;
  const headers: Record<string, string> = { accept: "application/json" };
  if (content) headers["content-type"] = content.type;
  if (method !== "GET" && csrf) headers["x-csrf-token"] = csrf;
  let response: Response;
  try {
    response = await fetch(address(request), {
      method,
      headers,
      body: content?.text,
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
    if (failure.kind === "unauthorized" && request.route !== "/session") ended();
    throw failure;
  }
  return response;
}

export const api = {
  /** Sends a request and reads what comes back; nothing is null. */
  send: async <Answer>(request: ApiRequest, signal?: AbortSignal): Promise<Answer> => {
    const response = await respond(request, signal);
    const text = response.status === 204 ? "" : await response.text();
    return (text === "" ? null : JSON.parse(text)) as Answer;
  },
};
