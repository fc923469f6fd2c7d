// Shapes of linked records, their edits, conflicts and what a link is doing.
import type { Undoable } from "./types";

export type Plain = string | number | boolean | null;
export type Fields = Record<string, Plain>;

export interface LinkedRecord {
  key: string;
  scope: string;
  state: string;
  fields: Fields;
}

export interface RecordPage {
  items: LinkedRecord[];
  /** Null where the rows were not to be counted. */
  total: number | null;
  limit: number;
  next: string | null;
}

/** What a side holds; null also where the row is gone on it. */
export interface FieldConflict {
  base: Plain;
  mine: Plain;
  theirs: Plain;
}

/** What is asked of a person. */
interface Question {
  kind: "edits" | "deleted_there" | "deleted_here" | "doubtful" | "broken_rule";
  revision: number;
  /** The rule that the merged row breaks. */
  rule: string | null;
  fields: Record<string, FieldConflict>;
}

export type Pick = "mine" | "theirs" | { value: Plain };

export interface Conflict extends Question {
  key: string;
  scope: string;
  opened_at: string;
  closed_at: string | null;
  closed_by: string | null;
  answer: { take: Pick; fields: Record<string, Pick> } | null;
}

/** A rule that answers again. */
export interface ConflictRule {
  field: string;
  take: string;
  author: string;
  reason: string;
  created_at: string;
  used: number;
}

export interface Edit {
  edit: string;
  key: string;
  author: string;
  state: string;
  /** Null for an edit that deletes. */
  fields: Fields | null;
  deletes: boolean;
  reason: string | null;
  created_at: string;
  changed_at: string;
  request: string | null;
}

/** What came of a decision about many things; each has its own command that takes it back. */
export interface Decided extends Undoable {
  done: number;
  items: { key: string; problem: string | null }[];
  dry_run: boolean;
}

/** A record that a worker has to look at. */
export interface Queued {
  key: string;
  scope: string;
  state: string;
  /** When, in milliseconds since 1970. */
  due_ms: number;
  failures: number;
  /** The worker that has it now. */
  worker?: string;
  request: string | null;
}

/** A write on its way to the remote, or one that it refused. */
export interface Operation {
  operation: string;
  deletes: boolean;
  /** Null for one that deletes. */
  fields: Fields | null;
  state: string;
  attempts: number;
  reason: string | null;
  edits: { edit: string; author: string }[];
}

/** One whose outcome nobody knows, or a dead letter. */
export interface WaitingOperation extends Operation {
  key: string;
}

export interface RecordDetail {
  key: string;
  scope: string;
  state: string;
  version: number;
  base: Fields | null;
  mine: Fields | null;
  theirs: Fields | null;
  base_version: number | null;
  theirs_version: number | null;
  differs: string[];
  /** What was sent, and what follows it. */
  sending: Operation | null;
  pending: Operation | null;
  drafts: Operation[];
  dead_letters: Operation[];
  conflict: Question | null;
  due_ms: number | null;
  failures: number;
}

export interface RecordStep {
  version: number;
  at: string;
  actor: string;
  because: string;
  fields: Record<string, { before: Plain; after: Plain }>;
  is_there: boolean;
  was_there: boolean;
}

export interface RecordVersions {
  key: string;
  newest: Fields | null;
  steps: RecordStep[];
  happenings: { at: string; actor: string; kind: string; detail: string }[];
}

/** How far a link is. */
export interface LinkStatus {
  mirrored: number;
  conflicts: number;
  due: number;
  oldest_ms: number | null;
  edits: Record<string, number>;
  pulls: {
    scope: string;
    changed_at: string | null;
    complete_at: string | null;
    drift: string | null;
    held: string | null;
  }[];
  /** The middle and the longest time from an edit until both sides agree; none where nothing was settled lately. */
  settled_ms: [number, number] | null;
  work: Record<string, number>;
}

interface StartedRound {
  asked_by: string;
  started_at: string;
}

export interface SyncStatus {
  system: string;
  link: string;
  fields: string[];
  scope_field: string;
  remote_known: boolean;
  rounds: {
    ended: number;
    last: (StartedRound & { ended_at: string; report: unknown; problem: string | null }) | null;
    running: StartedRound | null;
  };
  status: LinkStatus;
}

export interface ImportReport {
  edited: number;
  unchanged: number;
  problems: ImportProblem[];
  edits: string[];
  dry_run: boolean;
  undo: string | null;
}

export interface ImportProblem {
  line: number;
  /** Null for the whole line. */
  column: string | null;
  reason: string;
}

/** Something that happened at a link. */
export interface SyncEvent {
  id: string;
  at: string;
  kind: string;
  key: string | null;
  actor: string;
  detail: unknown;
  state: string | null;
}

/** There were too many to tell: everything is to be looked at again. */
export interface SyncReset {
  id: string;
  at: string;
  kind: "reset";
}
