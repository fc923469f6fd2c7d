import { expect, test } from "vitest";
import { ago, bytes, count, detailText, duration, measured, moment, number, valueText } from "./format";

test("nothing is never written as zero", () => {
  expect(number(null)).toBe("–");
  expect(number(undefined)).toBe("–");
  expect(duration(null)).toBe("–");
  expect(measured(null, "USD")).toBe("–");
  expect(number(0)).toBe("0");
});

test("numbers are grouped, and one is not many", () => {
  expect(number(10762)).toBe("10,762");
  expect(count(1, "row")).toBe("1 row");
  expect(count(2, "criterion", "criteria")).toBe("2 criteria");
});

test("durations and sizes have the unit that fits", () => {
  expect(duration(116)).toBe("116 ms");
  expect(duration(61_000)).toBe("1 min 1 s");
  expect(duration(3 * 86_400_000)).toBe("3 d 0 h");
  expect(bytes(10_151)).toBe("10.2 kB");
});

test("a figure has the unit of its column", () => {
  expect([
    measured(2.5, "USD"),
    measured(1500, "ms"),
    measured(12.5, "%"),
    measured(3, "d"),
    measured(42, "tokens"),
  ]).toEqual(["$2.50", "1.5 s", "12.5 %", "3 d", "42"]);
});

test("how long ago, before and after", () => {
  const now = new Date("2026-11-29T12:00:00Z");
  expect(ago("2026-11-29T11:59:58Z", now)).toBe("just now");
  expect(ago("2026-11-29T11:30:00Z", now)).toBe("30 min ago");
  expect(ago("2026-12-29T12:00:00Z", now)).toBe("in 30 d");
});

test("a moment is written in the zone that was asked for, and what is none stays as it is", () => {
  expect(moment("2026-11-29T11:00:00Z", "utc")).toContain("11:00:00");
  expect(moment("not a time", "utc")).toBe("not a time");
});

test("a typed value is its own text", () => {
  expect(valueText({ date: "2026-01-31" })).toBe("2026-01-31");
  expect(valueText(null)).toBe("null");
  expect(valueText({ a: 1, b: 2 })).toBe('{"a":1,"b":2}');
});

test("a detail of an event is words, whatever its form", () => {
  expect(detailText("refused: 409")).toBe("refused: 409");
  expect(detailText({ scope: "DEMO01", took_ms: 12, held: [] })).toBe("scope DEMO01 · took ms 12 · held []");
  expect(detailText(null)).toBe("");
});
