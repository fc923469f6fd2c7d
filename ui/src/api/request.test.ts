import { expect, expectTypeOf, test } from "vitest";
import { address, get, post, postCsv, put, remove, type Template } from "./request";
import type { UndescribedQueries } from "./undescribed";

test("the gaps of a template are filled by name, each part escaped", () => {
  expect(get("/flags/{flag}", { flag: "<script>/../$x" }).route).toBe("/flags/%3Cscript%3E%2F..%2F%24x");
  // A value that looks like a pattern of a replacement, or like a gap, is a value all the same.
  expect(get("/checks/{system}/{check}", { check: "{system}", system: "$1$&" }).route).toBe(
    "/checks/%241%24%26/%7Bsystem%7D",
  );
  expect(get("/flag-versions/{version}/arrival", { version: 7 }).route).toBe("/flag-versions/7/arrival");
});

test("what is empty in a query is left out of the address, not out of what is cached by", () => {
  const query = { system: "pfa", status: undefined, change: "", plan: null, limit: 0 };
  const request = get("/runs", query);
  expect(address(request)).toBe("/api/v1/runs?system=pfa&limit=0");
  expect(request.query).toEqual(query);
  expect(address(get("/runs"))).toBe("/api/v1/runs");
  expect(get("/runs").query).toEqual({});
  expect(address(get("/alerts", { all: false }))).toBe("/api/v1/alerts?all=false");
});

test("a body is between what fills the template and the query", () => {
  const content = (body: unknown) => ({ type: "application/json", text: JSON.stringify(body) });
  expect(post("/checks/run", { system: "pfa", reason: "why" })).toEqual({
    method: "POST",
    route: "/checks/run",
    query: {},
    content: content({ system: "pfa", reason: "why" }),
  });
  const rule = put(
    "/systems/{system}/conflict-rules/{field}",
    { system: "pfa", field: "rate" },
    { take: "mine" },
    { dry_run: true },
  );
  expect([address(rule), rule.content]).toEqual([
    "/api/v1/systems/pfa/conflict-rules/rate?dry_run=true",
    content({ take: "mine" }),
  ]);
  expect(remove("/session")).toEqual({ method: "DELETE", route: "/session", query: {} });
  expect(post("/systems/{system}/pilot/members/{customer}/sync", { system: "a", customer: "b" }).content).toBe(
    undefined,
  );
  expect(postCsv("/systems/{system}/import", { system: "pfa" }, "key").content).toEqual({
    type: "text/csv",
    text: "key",
  });
});

test("fields of records and parameters of views may have any name", () => {
  const fields = { model: "Crane", limit: 5 };
  expect(address(get("/systems/{system}/records", { system: "pfa" }, fields))).toBe(
    "/api/v1/systems/pfa/records?model=Crane&limit=5",
  );
});

test("what is added by hand is added to routes that are there", () => {
  expectTypeOf<keyof UndescribedQueries["get"]>().toExtend<Template<"get">>();
});

test("what the document does not know does not compile", () => {
  expect(refused).toBeDefined();
});

/** Never called: each line must be refused by the compiler, or the check of types fails. */
function refused(): void {
  const of = { run: "r1" };
  // @ts-expect-error there is no such template
  get("/runz");
  // @ts-expect-error a template is not an address
  get("/runs/r1");
  // @ts-expect-error the template has a gap
  get("/runs/{run}");
  // @ts-expect-error the gap has another name
  get("/runs/{run}", { id: "r1" });
  // @ts-expect-error there is no second gap
  get("/runs/{run}", { run: "r1", plan: "p1" });
  // @ts-expect-error what is not known yet does not fill a gap
  get("/runs/{run}", { run: undefined });
  // @ts-expect-error no member of the query has this name
  get("/runs", { sytem: "pfa" });
  // @ts-expect-error a number is wanted
  get("/runs", { limit: "5" });
  // @ts-expect-error a row has a table and a key
  get("/systems/{system}/history", { system: "pfa" }, { table: "cranes" });
  // @ts-expect-error this route has no query
  get("/dashboards", { limit: 5 });
  // @ts-expect-error it is read, not posted
  post("/runs", {});
  // @ts-expect-error it is posted, not read
  get("/runs/{run}/pause", of);
  // @ts-expect-error it is changed by another method
  put("/runs/{run}/pause", of, { reason: "why" });
  // @ts-expect-error the body is missing
  post("/runs/{run}/pause", of);
  // @ts-expect-error no member of the body has this name
  post("/runs/{run}/pause", of, { reasons: "why" });
  // @ts-expect-error a member of the body is missing
  post("/checks/run", { reason: "why" });
  // @ts-expect-error a setting is a number
  post("/plans/{plan}/apply", { plan: "p1" }, { reason: "why", settings: { batch_size: "5" } });
  // @ts-expect-error no setting has this name
  post("/plans/{plan}/apply", { plan: "p1" }, { reason: "why", settings: { batchSize: 5 } });
  // @ts-expect-error there are two sides
  put("/systems/{system}/conflict-rules/{field}", { system: "pfa", field: "rate" }, { take: "ours" });
  // @ts-expect-error an answer is taken back by its revision
  post("/systems/{system}/conflicts/{key}/undo", { system: "pfa", key: "k" }, { reason: "why" });
  // @ts-expect-error a file is not JSON
  post("/systems/{system}/import", { system: "pfa" }, "key,model");
  // @ts-expect-error and JSON is not a file
  postCsv("/runs/{run}/pause", of, "key,model");
  // @ts-expect-error the reason for a removal is in the query
  remove("/users/{name}", { name: "ann" }, { why: "left" });
}
