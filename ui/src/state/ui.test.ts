import { beforeEach, expect, test } from "vitest";
import { useUi } from "./ui";

beforeEach(() => useUi.setState({ recent: [], refresh: 15, zone: "local" }));

test("what was visited stands once, the newest first, and no more than eight", () => {
  const { visit } = useUi.getState();
  for (let number = 0; number < 12; number += 1) visit(`/runs/${number}`, `Run ${number}`);
  visit("/runs/5", "Run 5 again");
  const recent = useUi.getState().recent;
  expect(recent).toHaveLength(8);
  expect(recent[0]).toEqual({ href: "/runs/5", title: "Run 5 again" });
  expect(recent.filter((one) => one.href === "/runs/5")).toHaveLength(1);
});

test("only what a reader chose is kept, never what is open", () => {
  useUi.getState().setPalette(true);
  useUi.getState().setRefresh(60);
  const kept = JSON.parse(localStorage.getItem("plimsoll-ui") ?? "{}") as { state: Record<string, unknown> };
  expect(Object.keys(kept.state).sort()).toEqual(["recent", "refresh", "zone"]);
  expect(kept.state.refresh).toBe(60);
});
