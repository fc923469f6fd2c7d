import { expect, test } from "vitest";
import type { FlagDefinition } from "../../api/flags";
import { restoring, whatChanged } from "./FlagHistory";
import { reach } from "./Flags";
import { arrivalSentence } from "./Kill";

const FLAG: FlagDefinition = { name: "f", state: "on", salt: "f" };

test("who gets a flag, in words", () => {
  expect(reach({ ...FLAG, state: "killed" })).toBe("nobody");
  expect(reach(FLAG)).toBe("everybody");
  expect(
    reach({ ...FLAG, rollout: { percent: 10, algorithm: "unleash-1", salt: "f" }, allow: { a: null }, deny: ["b"] }),
  ).toBe("10 %, 1 key allowed, but 1 denied");
});

test("bringing a version back undoes what came since, as a merge", () => {
  const now = { ...FLAG, owner: "ben", deny: ["1"], rollout: { percent: 50, algorithm: "unleash-1", salt: "f" } };
  const then = { ...FLAG, rollout: { percent: 10, algorithm: "unleash-1", salt: "f" } };
  expect(restoring(now, then)).toEqual({ owner: null, deny: null, rollout: { percent: 10 } });
  expect(restoring(then, then)).toEqual({});
});

test("what changed between two versions", () => {
  expect(whatChanged({ before: null, after: FLAG, archived: false })).toBe("created");
  expect(whatChanged({ before: FLAG, after: { ...FLAG, state: "off" }, archived: false })).toBe("on → off");
  expect(whatChanged({ before: FLAG, after: FLAG, archived: true })).toBe("deleted");
});

test("the arrival of a kill says only what was measured", () => {
  const none = { version: 3, clients: 0, acknowledged: 0, after_ms: null, slowest: null, silent: [] };
  expect(arrivalSentence(none)).toContain("No client");
  expect(
    arrivalSentence({
      ...none,
      clients: 47,
      acknowledged: 47,
      after_ms: 38,
      slowest: { client: "c", name: "shop-3", ms: 38 },
    }),
  ).toBe("47 of 47 clients have it after 38 ms, slowest shop-3.");
});
