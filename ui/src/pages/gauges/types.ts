// Shapes of the gauges' routes, as the gauges system declares them.
import type { Undoable } from "../../api/types";

export type Side = "go" | "nogo";

export interface Likeness {
  category: string;
  thread_size: string;
  thread_type: string;
  thread_form: string | null;
  thread_class: string;
  gauge_type: string;
  hand: string;
  acme_starts: number | null;
  ownership: string;
  owner: string | null;
}

export interface Member {
  side: Side;
  serial: string;
  status: string;
  sealed: boolean;
  location: string | null;
  due_on: string | null;
}

/** How a set stands: whether it has both members, and what speaks against using it now. */
export interface SetState {
  membership: "complete" | { incomplete: { missing: Side[] } } | { ended: { how: string } };
  blocked: string[];
  sealed: boolean;
  usable: boolean;
}

/** The word for it: complete, incomplete, or how it ended. */
export function stateWord({ membership }: SetState): string {
  if (membership === "complete") return membership;
  return "ended" in membership ? membership.ended.how : "incomplete";
}

export interface GaugeSet {
  set_id: string;
  likeness: Likeness;
  created_at: string;
  ended_at: string | null;
  state: SetState;
  members: Member[];
}

export interface Refused {
  rule: string;
  text: string;
}

export interface Candidate {
  serial: string;
  fits: boolean;
  refused: Refused[];
  notes: string[];
  location: string | null;
}

export interface Incomplete {
  set: string;
  missing: Side[];
  remaining: string | null;
  location: string | null;
  since: string;
  age_days: number;
  fitting: number;
  best: string | null;
}

export interface HistoryLine {
  entry: number;
  at: string;
  actor: string;
  operation: string;
  set: string | null;
  reason: string;
  subjects: string[];
  detail: Record<string, unknown>;
  previous: string;
  digest: string;
}

export interface Due {
  serial: string;
  set_id: string | null;
  status: string;
  due_on: string | null;
  days: number | null;
  holder: string | null;
}

export interface Counts {
  gauges: { status: string; count: number }[];
  sets: { state: string; count: number }[];
  overdue: number;
  due_in_30_days: number;
  ids_unchecked: number;
  open_cases: number;
}

export interface Batch {
  batch: string;
  kind: string;
  vendor: string | null;
  tracking: string | null;
  state: string;
  created_entry: number;
  gauges: number;
  waiting: number;
}

/** What an operation did, or would do: its line of history, its set and the gauges that it changed. */
export interface Operated extends Undoable {
  entry: number;
  at: string;
  set: string | null;
  digest: string;
  gauges: {
    serial: string;
    status: string;
    set: string | null;
    location: string | null;
    sealed: boolean;
    due_on: string | null;
  }[];
  /** Null for a dry run. */
  run: string | null;
  rows: number;
  dry_run: boolean;
}

export interface Place {
  location: string;
  kind: string | null;
  title: string | null;
  zone: string | null;
  building: string | null;
  facility: string | null;
  active: boolean;
  allowed: string | null;
  gauges: number;
  content: { serial: string; name: string | null; status: string; set_id: string | null }[];
}

export const SIDES: Record<Side, string> = { go: "GO", nogo: "NO-GO" };

/** What a set is, in one line. */
export function likenessText(one: Likeness): string {
  return [
    one.thread_size,
    one.thread_class,
    one.thread_form,
    one.thread_type,
    one.gauge_type,
    one.hand === "LH" ? "left-handed" : null,
    one.acme_starts ? `${one.acme_starts} starts` : null,
  ]
    .filter(Boolean)
    .join(" ");
}
