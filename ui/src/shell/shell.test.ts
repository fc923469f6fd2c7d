import { expect, test } from "vitest";
import type { Session } from "../api/types";
import { ownHref, pageOf, score } from "./Palette";
import { href } from "./places";
import { allows } from "./session";

test("the palette finds by all words, and likes beginnings", () => {
  expect(score("dead letters", "Sync lag queue limbo dead letters")).toBeGreaterThan(0);
  expect(score("dead cat", "Sync lag queue limbo dead letters")).toBe(0);
  expect(score("run", "Runs batches")).toBeGreaterThan(score("run", "Overrun"));
});

test("only addresses of this app are followed", () => {
  expect(ownHref("/runs/1")).toBe("/runs/1");
  for (const other of ["//evil.example", "https://evil.example", "javascript:alert(1)", "/\\evil.example"])
    expect(ownHref(other)).toBeNull();
});

test("what the server finds has its page here", () => {
  const at = (kind: string, address: string) => pageOf({ kind, href: address });
  expect(at("gate", "/gates/luckygas/readiness")).toBe("/gates/luckygas%2Freadiness");
  expect(at("flag", "/flags/<b>100%</b>")).toBe("/flags/%3Cb%3E100%25%3C%2Fb%3E");
  expect(at("incident", "/alerts/4f")).toBe("/alerts?incident=4f");
  expect(at("table", "/systems/hearings/history?table=bills")).toBe("/history?system=hearings&table=bills");
  expect(at("run", "/runs/7a")).toBe("/runs/7a");
  expect(at("run", "https://evil.example/runs/7a")).toBeNull();
});

test("a name never becomes another address", () => {
  expect(href.flag("../settings?x=$y")).toBe("/flags/..%2Fsettings%3Fx%3D%24y");
});

test("a role holds in its system, and the widest one everywhere", () => {
  const session = {
    mode: "session",
    user: "anna",
    role: "viewer",
    roles: { hearings: "approver" },
    csrf: null,
  } satisfies Session;
  expect(allows(session, "operator", "hearings")).toBe(true);
  expect(allows(session, "admin", "hearings")).toBe(false);
  expect(allows(session, "operator", "pfa")).toBe(false);
  expect(allows({ ...session, roles: { "*": "operator" } }, "operator", "pfa")).toBe(true);
  expect(allows({ ...session, role: null, roles: {} }, "viewer", "pfa")).toBe(false);
});
