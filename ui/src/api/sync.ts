// Shapes of linked records, their edits, conflicts and what a link is doing.

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
  total?: number;
  limit: number;
  next: string | null;
}

export interface FieldConflict {
  base: Plain;
  mine: Plain;
  theirs: Plain;
}

export interface Conflict {
  key: string;
  scope: string;
  kind: string;
  revision: number;
  rule: string | null;
  opened_at: string;
  closed_at: string | null;
  closed_by: string | null;
  answer: unknown;
  fields: Record<string, FieldConflict>;
}

export interface Edit {
  edit: string;
  key: string;
  author: string;
  state: string;
  fields: Fields;
  deletes: boolean;
  reason: string | null;
  created_at: string;
  changed_at: string;
}

export interface Waiting {
  key: string;
  scope: string;
  state?: string;
  due_ms?: number | null;
  failures?: number;
  operation?: string;
  reason?: string | null;
  at?: string;
  [member: string]: unknown;
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
  drafts: Edit[];
  dead_letters: Waiting[];
  conflict: { kind: string; revision: number; rule: string | null; fields: Record<string, FieldConflict> } | null;
  pending: { state: string; fields: Fields; reason: string | null; attempts: number } | null;
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
  happenings: { at: string; actor: string; kind: string; detail: unknown }[];
}

export interface SyncStatus {
  system: string;
  link: string;
  fields: string[];
  scope_field: string;
  remote_known: boolean;
  rounds: { ended: number; last: unknown; running: unknown };
  status: {
    mirrored: number;
    conflicts: number;
    due: number;
    oldest_ms: number | null;
    edits: Record<string, number>;
    pulls: { scope: string; changed_at: string; complete_at: string | null; drift: string; held: string | null }[];
    /** The middle and the longest time from an edit until both sides agree; none where nothing was settled lately. */
    settled_ms: [number | null, number | null] | null;
    work: Record<string, number>;
  };
}

export interface ImportReport {
  rows?: number;
  read?: number;
  edited?: number;
  unchanged?: number;
  problems?: ImportProblem[];
  errors?: ImportProblem[];
  [member: string]: unknown;
}

export interface ImportProblem {
  line: number;
  column?: string | null;
  reason?: string;
  says?: string;
  [member: string]: unknown;
}

export interface SyncEvent {
  id: string;
  at: string;
  kind: string;
  key: string | null;
  actor: string | null;
  detail?: unknown;
  state: string | null;
}
