import { expect, test } from "vitest";
import type { SyncStatus } from "../api/sync";
import type { Quarantined, Run } from "../api/types";
import { tableOf, tableOfRows, type ViewAnswer, type ViewColumn } from "../api/views";
import { kindOf, touched } from "../parts/Diff";
import { axesOf, optionOf } from "./dashboards/options";
import type { PanelDefinition } from "./dashboards/types";
import { newestRuns } from "./overview/types";
import { isWhole } from "./pilot/CertificatePage";
import { reasons } from "./pilot/PilotAct";
import { type Certificate, stageCounts } from "./pilot/types";
import { spoken } from "./plans/Assessment";
import { readOptions } from "./plans/MakePlan";
import { kinds } from "./plans/PlanPage";
import { waitsFor } from "./playbooks/PlaybookRunPage";
import type { PlaybookRunDetail } from "./playbooks/types";
import { readRecord } from "./quarantine/QuarantinedPage";
import { changed } from "./records/EditRecord";
import { asFields, fieldFilters } from "./records/Records";
import { leftOf } from "./runs/Journal";
import { newest } from "./runs/NewestRun";
import { summary } from "./runs/UndoRun";
import { exchangesOf, place } from "./sessions/trace";
import { answerOf } from "./sync/Resolve";
import { drift, linkFigures } from "./sync/SyncPage";

const NONE = {
  view: null,
  section: null,
  metric: null,
  x: null,
  series: null,
  label: null,
  length: null,
  depth: null,
  source: null,
  target: null,
  unit: null,
  drill: null,
};
const PANEL: PanelDefinition = { ...NONE, panel: "p", title: "P", kind: "bar", y: [], set: {}, width: 6 };

test("an update touches what it names and what differs, an insert everything", () => {
  expect(touched({ a: 1, b: 2, c: { date: "x" } }, { a: 1, b: 3, c: { date: "x" } })).toEqual(["b"]);
  expect(touched(null, { a: 1, b: null })).toEqual(["a", "b"]);
  expect([kindOf({ table: "t", after: {} }), kindOf({ table: "t", before: {} })]).toEqual(["insert", "delete"]);
});

test("only what was changed is sent, and an emptied field is null", () => {
  expect(changed({ model: "A", rate: 5, note: null }, { model: "A", rate: "", note: "" })).toEqual({ rate: null });
  expect(changed({ model: "A" }, { model: "<b>B</b>" })).toEqual({ model: "<b>B</b>" });
});

test("filters of fields cannot be mistaken for anything else", () => {
  expect(fieldFilters({ f_model: "Crane", state: "draft", f_limit: "3", sort: undefined })).toEqual({
    model: "Crane",
    limit: "3",
  });
  expect(asFields({ limit: "3" })).toEqual({ "field.limit": "3" });
});

test("the newest run of a system is the newest that is no undo", () => {
  const run = (id: string, undoes: string | null) => ({ id, undoes }) as Run;
  expect(newest([run("c", "b"), run("b", null), run("a", null)])?.id).toBe("b");
  expect(newest([run("c", "b")])).toBeUndefined();
});

test("an answer to a conflict names a side or a value", () => {
  expect(
    answerOf({ a: { side: "mine", value: "" }, b: { side: "value", value: "" }, c: { side: "value", value: "7" } }),
  ).toEqual({
    a: "mine",
    b: { value: null },
    c: { value: "7" },
  });
});

test("drift in words", () => {
  expect(drift('{"missing":[],"unknown":[]}')).toBe("none");
  expect(drift('{"missing":["a"],"unknown":["b","c"]}')).toBe("missing a; unknown b, c");
  expect(drift("not JSON")).toBe("not JSON");
});

test("options are lines of names and values", () => {
  expect(readOptions("congress=119\n max_details = 5 ")).toEqual({ congress: "119", max_details: "5" });
  expect(readOptions("congress")).toBeNull();
});

test("a record that is not JSON is told before it is sent", () => {
  expect(readRecord('{"a":1}')).toEqual({ value: { a: 1 } });
  expect(readRecord("{a")).toHaveProperty("problem");
});

test("what an assessment says keeps its units", () => {
  expect(spoken("estimated_ms", 1500)).toEqual(["estimated", "1.5 s"]);
  expect(spoken("journal_bytes", 2_000_000)).toEqual(["journal bytes", "2.00 MB"]);
  expect(spoken("failures", [])).toEqual(["failures", "none"]);
  expect(spoken("rows", { bills: { insert: 35 }, waiting: [1, "no title"] })[1]).toBe(
    "bills (insert 35), waiting (1: no title)",
  );
});

test("the kinds of changes of an item", () => {
  const change = (kind: "insert" | "update") => ({ kind, table: "t", key: "1", before: null, after: null });
  expect(
    kinds({ item: 1, label: "x", refusal: null, changes: [change("insert"), change("insert"), change("update")] }),
  ).toBe("+2 ~1");
});

const column = (name: string): ViewColumn => ({ name, type: "text", unit: null });

test("rows of a view get the names of its columns", () => {
  const answer: ViewAnswer = {
    columns: [column("day"), column("cost")],
    rows: [["2026-01-01", 2]],
    sections: {},
    object: null,
  };
  expect(tableOf(answer).rows).toEqual([{ day: "2026-01-01", cost: 2 }]);
  expect(tableOfRows([{ day: "2026-01-01", cost: 2 }]).columns.map((one) => one.name)).toEqual(["day", "cost"]);
  expect(tableOf(undefined).rows).toEqual([]);
});

test("an answer that is one object is a table of one row, members of its members included", () => {
  const columns = ["title", "cost.list", "cost.stored"].map(column);
  const object = { title: "t", cost: { list: 3, stored: null } };
  // The server fills the row by the names of the columns, and finds none that has a dot in it.
  const answer: ViewAnswer = { columns, rows: [["t", null, null]], sections: {}, object };
  expect(tableOf(answer).rows).toEqual([{ title: "t", "cost.list": 3, "cost.stored": null }]);
  expect(tableOf({ columns, rows: [], sections: {}, object: null }).rows).toEqual([]);
});

test("a stacked chart has one series for each name, and a gap where nothing is known", () => {
  const table = tableOfRows([
    { day: "2026-01-01", model: "a", cost: 1 },
    { day: "2026-01-02", model: "a", cost: 2 },
    { day: "2026-01-02", model: "b", cost: 3 },
  ]);
  const panel: PanelDefinition = { ...PANEL, kind: "stacked", x: "day", y: ["cost"], series: "model" };
  expect(axesOf(panel, table)).toEqual({ x: "day", y: ["cost"], series: "model" });
  const series = optionOf(panel, table).series as { name: string; stack: string; data: (number | null)[] }[];
  expect(series.map((one) => [one.name, one.stack, one.data])).toEqual([
    ["a", "all", [1, 2]],
    ["b", "all", [null, 3]],
  ]);
});

test("hours and weekdays stand in their order on a heat map, and the depth of a cell is its value", () => {
  const table = tableOfRows([
    { weekday: 2, hour: 10, messages: 5 },
    { weekday: 1, hour: 9, messages: 7 },
  ]);
  const option = optionOf({ ...PANEL, kind: "heatmap", x: "hour", series: "weekday", y: ["messages"] }, table);
  expect((option.xAxis as { data: string[] }).data).toEqual(["9", "10"]);
  expect((option.series as { data: number[][] }[])[0]?.data).toEqual([
    [1, 1, 5],
    [0, 0, 7],
  ]);
});

test("a bar on a timeline begins where its event does", () => {
  const table = tableOfRows([
    { offset_ms: 100, duration_ms: 50, name: "bash", depth: 0 },
    { offset_ms: 300, duration_ms: null, name: "read", depth: 1 },
  ]);
  const option = optionOf(
    { ...PANEL, kind: "timeline", x: "offset_ms", length: "duration_ms", label: "name", depth: "depth" },
    table,
  );
  expect((option.series as { data: number[] }[]).map((one) => one.data)).toEqual([
    [0, 200],
    [50, 0],
  ]);
});

test("a mode of undo that refuses says why, another what it would do", () => {
  expect(summary({ mode: "refuse", preview: null, refusal: "3 items were edited since" })).toBe(
    "3 items were edited since",
  );
  const preview = { restored: 297, already: 0, edited: 3, kept_columns: 0, cascade: [], samples: [] };
  expect(summary({ mode: "skip", preview, refusal: null })).toBe("297 restored, 3 edited since");
});

test("a trace is cut into exchanges, and every span is seen within its own", () => {
  const at = (second: number) => `2026-11-10T04:53:${String(second).padStart(2, "0")}.000Z`;
  const exchanges = exchangesOf([
    { exchange_number: 2, event_order: 1, time_created: at(30), event_type: "prompt" },
    { exchange_number: 1, event_order: 1, time_created: at(0), event_type: "prompt" },
    {
      exchange_number: 1,
      event_order: 2,
      time_created: at(2),
      event_type: "tool",
      name: "bash",
      status: "error",
      duration_ms: 8000,
      tokens: 5,
    },
    { exchange_number: 1, event_order: 3, time_created: null, event_type: "lost" },
  ]);
  expect(exchanges.map((one) => [one.number, one.spans.length, one.failures, one.tokens])).toEqual([
    [1, 2, 1, 5],
    [2, 1, 0, 0],
  ]);
  const [first] = exchanges;
  const tool = first?.spans[1];
  if (!first || !tool) throw new Error("the trace is empty");
  expect(place(tool, first)).toEqual({ left: 20, width: 80 });
});

test("stages stand in their order, whoever counted them", () => {
  const counts = stageCounts({
    report: {
      members: 4,
      stages: { soak: 3, snapshot: 1 },
      reads_compared: 0,
      reads_differing: 0,
      forced_steps: 0,
      certificates: 0,
      held: 0,
      links: [],
    },
    selection: null,
    questions: [],
    stages: ["waiting", "snapshot", "soak", "rolled_back"],
  });
  expect(counts.filter((one) => one.count > 0)).toEqual([
    { stage: "snapshot", count: 1 },
    { stage: "soak", count: 3 },
  ]);
});

test("a certificate is whole only when every table equals its oracle and nothing was forced", () => {
  const digest = (text: string) => ({ digest: text });
  const moved = (after: string) => ({
    inserted: 0,
    updated: 1,
    deleted: 0,
    before: digest("0"),
    after: digest(after),
    oracle: digest("1"),
  });
  const one = { tables: [moved("1")], forced: [] as unknown[] } as unknown as Certificate;
  expect(isWhole(one)).toBe(true);
  expect(isWhole({ ...one, tables: [moved("1"), moved("2")] } as Certificate)).toBe(false);
  expect(isWhole({ ...one, forced: [{}] } as Certificate)).toBe(false);
  expect(isWhole({ ...one, tables: [] } as Certificate)).toBe(false);
});

test("a link on which nothing was settled lately has no figure for it", () => {
  const status = {
    mirrored: 1,
    conflicts: 0,
    due: 0,
    oldest_ms: null,
    edits: {},
    pulls: [],
    settled_ms: null,
    work: {},
  };
  const sync = {
    system: "pfa",
    link: "pfa",
    fields: [],
    scope_field: "x",
    remote_known: true,
    rounds: { ended: 0, last: null, running: null },
    status,
  };
  const figures = linkFigures(sync satisfies SyncStatus);
  expect(figures.at(-1)?.value).toBe("none yet");
});

test("the step for which a run of a playbook waits is the first approval that is not done", () => {
  const step = (id: string, kind: string) => ({ id, kind, title: id });
  const detail = (status: string, done: string[]) =>
    ({
      run: { id: "r", playbook: "p", status, actor: "a" },
      declared: [step("flag", "command"), step("agree", "approval"), step("sign", "approval")],
      steps: done.map((one) => ({ step: one, action: "do", status: "done" })),
      rollback: [],
    }) as unknown as PlaybookRunDetail;
  expect(waitsFor(detail("waiting", ["flag"]))).toBe("agree");
  expect(waitsFor(detail("waiting", ["flag", "agree"]))).toBe("sign");
  expect(waitsFor(detail("done", ["flag", "agree", "sign"]))).toBe(null);
  expect(waitsFor(undefined)).toBe(null);
});

test("the newest runs name the last one of every system", () => {
  const run = (id: string, started_at: string) => ({ id, started_at }) as unknown as Run;
  const newest = newestRuns(
    [run("c", "2026-03-01"), run("b", "2026-02-01")],
    [{ last_run: run("a", "2026-01-01") }, { last_run: run("c", "2026-03-01") }, { last_run: null }],
  );
  expect(newest.map((one) => one.id)).toEqual(["c", "b", "a"]);
});

test("why members do not move is told once for all whom it concerns", () => {
  expect(
    reasons([
      { customer: "D1", why: "waiting" },
      { customer: "D2", why: "held" },
      { customer: "D3", why: "waiting" },
    ]),
  ).toEqual([
    { why: "waiting", customers: ["D1", "D3"] },
    { why: "held", customers: ["D2"] },
  ]);
});

test("what a run of one batch left behind is what stands open in quarantine", () => {
  const item = (status: string) =>
    ({ item: 7, label: "hearing 1", class: "check", reason: "no", status }) as unknown as Quarantined;
  expect(leftOf([item("open"), item("replayed")])).toEqual([
    { partition: 0, batch: 0, item: 7, label: "hearing 1", outcome: "quarantined", class: "check", reason: "no" },
  ]);
});
