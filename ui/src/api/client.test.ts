import { afterEach, expect, test, vi } from "vitest";
import { api, onSessionEnd, setCsrf } from "./client";
import { ApiFailure, failureOf } from "./failure";
import { get, post, postCsv, remove } from "./request";

afterEach(() => {
  vi.unstubAllGlobals();
  setCsrf(null);
});

function answer(status: number, body: unknown, headers: Record<string, string> = {}) {
  const fake = vi.fn((_address: string, _init: RequestInit) =>
    Promise.resolve(new Response(JSON.stringify(body), { status, headers })),
  );
  vi.stubGlobal("fetch", fake);
  return fake;
}

test("a change carries the token against forged requests, a question does not", async () => {
  const fake = answer(200, {});
  setCsrf("t1");
  await api.send(post("/flags", { name: "x" }));
  await api.send(get("/flags"));
  const sent = fake.mock.calls.map(([, init]) => (init.headers as Record<string, string>)["x-csrf-token"]);
  expect(sent).toEqual(["t1", undefined]);
});

test("what is sent says what it is, and where nothing is sent there is no body", async () => {
  const fake = answer(200, {});
  await api.send(post("/runs/{run}/pause", { run: "r1" }, { reason: "why" }));
  await api.send(postCsv("/systems/{system}/import", { system: "pfa" }, "key,model", { dry_run: true }));
  await api.send(remove("/users/{name}", { name: "ann" }, { reason: "left" }));
  const sent = fake.mock.calls.map(([address, { method, body, headers }]) => [
    `${method} ${address}`,
    body,
    (headers as Record<string, string>)["content-type"],
  ]);
  expect(sent).toEqual([
    ["POST /api/v1/runs/r1/pause", '{"reason":"why"}', "application/json"],
    ["POST /api/v1/systems/pfa/import?dry_run=true", "key,model", "text/csv"],
    ["DELETE /api/v1/users/ann?reason=left", undefined, undefined],
  ]);
});

test("the envelope is read whole", async () => {
  answer(
    409,
    {
      errors: [
        { code: "refused", detail: "no", hint: "ask" },
        { code: "refused", detail: "and no" },
      ],
    },
    { "x-request-id": "r1" },
  );
  const failure = await api.send(get("/runs")).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApiFailure);
  const one = failure as ApiFailure;
  expect([one.kind, one.message, one.hint, one.requestId, one.problems.length]).toEqual([
    "refused",
    "no",
    "ask",
    "r1",
    2,
  ]);
});

test("a route that is not there is not the same as a thing that is not there", () => {
  expect(failureOf(404, { errors: [{ code: "not_found", detail: "there is no such route" }] }, null).kind).toBe(
    "absent",
  );
  expect(failureOf(404, { errors: [{ code: "not_found", detail: "there is no run `ffff`" }] }, null).kind).toBe(
    "missing",
  );
  expect(failureOf(404, "<html>", null).kind).toBe("absent");
  expect(failureOf(403, { errors: [] }, null).kind).toBe("forbidden");
  expect(failureOf(500, null, null).kind).toBe("failed");
});

test("a session that has ended is noticed wherever it ends, a failed log in is not one", async () => {
  const ended = vi.fn();
  onSessionEnd(ended);
  answer(401, { errors: [{ code: "unauthorized", detail: "log in" }] });
  await api.send(get("/runs")).catch(() => {});
  expect(ended).toHaveBeenCalledTimes(1);
  await api.send(post("/session", { name: "a", password: "b" })).catch(() => {});
  expect(ended).toHaveBeenCalledTimes(1);
});

test("a server that cannot be reached says so", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  const failure = (await api.send(get("/runs")).catch((error: unknown) => error)) as ApiFailure;
  expect(failure.kind).toBe("unreachable");
});
