// Shapes of the answers that pages read, written by hand: the API's document says little of what comes back. What is sent
// is checked against the document; see `request.ts`.
// Members that a server may leave out are optional; nothing here is filled in by the app.

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

export interface Run {
  id: string;
  number: number;
  plan: string;
  system: string;
  change: string;
  status: string;
  requested: string | null;
  actor: string;
  reason: string;
  settings: Record<string, unknown>;
  started_at: string;
  finished_at: string | null;
  duration_ms: number | null;
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
  digest: string;
}

export interface RunReport extends Partial<Tally> {
  success?: boolean;
  unchanged?: number;
  batch_count?: number;
  batches_succeeded?: number;
  batches_failed?: number;
  batch_errors?: BatchError[];
}

export interface RunDetail {
  run: Run;
  report: RunReport | null;
  events: JournalEvent[];
}

export interface Plan {
  id: string;
  number: number;
  system: string;
  change: string;
  status: string;
  created_at: string;
  actor: string;
  source: string | null;
  digest: string;
  items: number;
  changes: number;
  refused: number;
  unchanged: number;
  journal_bytes: number;
  facts?: Record<string, unknown>;
  approved_by: string | null;
  approved_at: string | null;
  approved_digest: string | null;
  undoes: string | null;
  replays: string | null;
  /** In a list: the newest run that applied it. */
  run?: { id: string; status: string } | null;
}

/** A stored value: plain, or an object with one member that names its type, such as `{"date": "2026-01-31"}`. */
export type Value = string | number | boolean | null | { [type: string]: unknown };
export type Row = Record<string, Value>;

/** A row as it was and as it is to be. What was refused before it got a key has neither key nor kind. */
export interface RowChange {
  kind?: "insert" | "update" | "delete";
  table: string;
  key?: string;
  before?: Row | null;
  after?: Row | null;
}

export interface PlanItem {
  item: number;
  label: string;
  refusal: unknown;
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
  record: unknown;
  changes: RowChange[];
  status: string;
  edited: unknown;
  created_at: string;
  changed_at: string;
}

export interface Undoable {
  undo?: string | null;
  dry_run?: boolean;
}

export interface Session {
  mode: "open" | "session" | "token";
  user: string;
  role: string;
  roles: Record<string, string>;
  csrf: string | null;
}
