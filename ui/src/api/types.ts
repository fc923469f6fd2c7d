// Shapes of the answers that pages read, written by hand: the API's document says little of what comes back. What is sent
// is checked against the document; see `request.ts`.
// They are what the handlers in `crates/server/src/routes` answer: a member that is there but may be empty is `| null`, one
// that is left out in some answers is optional. Members that no page reads may be left out here.

export interface List<T> {
  items: T[];
  total: number;
  offset: number;
  limit: number;
}

export interface Change {
  name: string;
  help: string;
  needs_backup: boolean;
}

export interface SystemInfo {
  name: string;
  title: string;
  store: string;
  tables: string[];
  changes: Change[];
  link: string | null;
}

export interface Tally {
  planned: number;
  applied: number;
  noop: number;
  conflicted: number;
  quarantined: number;
  skipped: number;
}

export const RUN_STATUSES = ["running", "paused", "stopped", "finished", "cancelled"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export interface RunSettings {
  batch_size: number | null;
  workers: number;
  adaptive_target_ms: number | null;
  throttle_ms: number;
  max_errors: number | null;
  max_error_share: number;
}

export interface Run {
  id: string;
  number: number;
  plan: string;
  system: string;
  change: string;
  status: RunStatus;
  requested: string | null;
  actor: string;
  reason: string;
  settings: RunSettings;
  started_at: string;
  finished_at: string | null;
  duration_ms: number;
  tally: Tally;
  batches: number;
  rows_written: number;
  stop_class: string | null;
  stop_reason: string | null;
  undoes: string | null;
  undo_mode: string | null;
  backup: string | null;
}

export interface BatchError {
  partition: number;
  batch: number;
  item: number;
  label: string;
  outcome: string;
  class: string;
  reason: string;
}

export interface JournalEvent {
  number: number;
  at: string;
  actor: string;
  kind: string;
  subject: string;
  reason: string;
  detail: string;
  previous: string;
  digest: string;
}

/** What became of the batches of a run. */
interface BatchFigures {
  batch_processing_enabled: boolean;
  batch_count: number;
  batches_succeeded: number;
  batches_failed: number;
  batch_errors: BatchError[];
}

/** A run that was applied as one batch has no figures of batches. */
export interface RunReport extends Tally, Partial<BatchFigures> {
  success: boolean;
  unchanged: number;
  batches: number;
  duration_ms: number;
  rows_written: number;
}

export interface RunDetail {
  run: Run;
  report: RunReport;
  events: JournalEvent[];
}

export interface Plan {
  id: string;
  number: number;
  system: string;
  change: string;
  status: "building" | "ready";
  created_at: string;
  actor: string;
  source: string;
  digest: string;
  items: number;
  changes: number;
  refused: number;
  unchanged: number;
  journal_bytes: number;
  facts: Record<string, unknown>;
  approved_by: string | null;
  approved_at: string | null;
  approved_digest: string | null;
  undoes: string | null;
  replays: string | null;
}

/** A plan of a list, with the newest run that applied it. */
export interface PlanLine extends Plan {
  run: { id: string; status: RunStatus } | null;
}

/** A stored value: plain, or an object with one member that names its type, such as `{"date": "2026-01-31"}`. */
export type Value = string | number | boolean | null | { [type: string]: unknown };
export type Row = Record<string, Value>;

/** A row as it was and as it is to be; an image that there is not is left out. */
export interface ChangeLine {
  table: string;
  before?: Row;
  after?: Row;
}

/** The same of a row that has its key. */
export interface RowChange {
  kind: "insert" | "update" | "delete";
  table: string;
  key: string;
  before: Row | null;
  after: Row | null;
}

/** Why an item was not applied. */
export interface Refusal {
  outcome: string;
  class: string;
  reason: string;
}

export interface PlanItem {
  item: number;
  label: string;
  refusal: Refusal | null;
  changes: RowChange[];
}

export interface PlanDetail {
  plan: Plan;
  items: List<PlanItem>;
}

export interface Quarantined {
  id: string;
  system: string;
  run: string;
  plan: number;
  item: number;
  label: string;
  class: string;
  reason: string;
  together_with: number[];
  /** The source record; null where the item was made from none. */
  record: unknown;
  changes: ChangeLine[];
  status: string;
  /** The repaired record; null until there is one. */
  edited: unknown;
  created_at: string;
  changed_at: string;
}

/** What is read of every answer to a change: the command that takes it back, where there is one. */
export interface Undoable {
  undo?: string | null;
}

export const ROLES = ["viewer", "operator", "approver", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface Session {
  mode: "open" | "session" | "token";
  user: string;
  /** The widest one in any system; null for somebody who has none. */
  role: Role | null;
  /** By system; `*` stands for all. */
  roles: Record<string, Role>;
  csrf: string | null;
}
