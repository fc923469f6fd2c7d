// Shapes of trials, as `plimsoll trial` puts them on record.
import type { Undoable } from "../../api/types";

export interface TrialLine {
  id: string;
  system: string;
  change: string;
  at: string;
  actor: string;
  reason: string;
  verdict: "proceed" | "iterate" | "abort";
  met: number;
  not_met: number;
  unknown: number;
  items: number;
  duration_ms: number;
}

/** So many of so many held, and what did not. */
export interface Held {
  good: number;
  of: number;
  problems: string[];
}

/** Milliseconds. */
export interface Spread {
  p50: number;
  p99: number;
}

export interface Criterion {
  id: string;
  text: string;
  standing: "met" | "not_met" | "unknown";
  value: number | null;
  unit: string;
  comparison: "below" | "at_most" | "exactly" | "at_least" | "above";
  threshold: number;
  guards_data: boolean;
  basis: string;
}

export interface PathSpeed {
  batch_size: number | null;
  batches: number;
  applied: number;
  quarantined: number;
  rows_per_second: number;
  apply_ms: Spread;
  batch_ms: Spread | null;
  undo_ms: number | null;
  slower_than_plain_percent: Spread | null;
}

export interface Injection {
  kind: string;
  case: string;
  batch_size: number;
  injected: number;
  good: number;
  committed: number;
  exactly_the_bad: boolean;
  tables_as_without: boolean;
}

export interface Interruption {
  point: string;
  committed_batches: number;
  nothing_half_done: boolean;
  resumed_to_the_same: boolean;
  undone_exactly: boolean;
}

export interface TrialReport {
  about: {
    store: string;
    source: string;
    started_at: string;
    items: number;
    good: number;
    bad: number;
    changes: number;
    durability: string;
    version: string;
    notes: string[];
  };
  decision: { blocking: string[]; criteria: Criterion[] };
  /** Trials of before these were kept lack them. */
  validation?: {
    counted: Record<string, Held | number | null>;
    injections: { cases: Injection[]; left_out: string[] };
    interruptions: Interruption[];
  };
  trial?: {
    speed: { rounds: number; plain: PathSpeed; sizes: PathSpeed[] };
    memory: { growth_mb: number | null };
    observation: { hours: number; updates: number; with_work: number; success: Held; apply_ms: Spread | null };
  };
}

export interface TrialDetail extends TrialLine {
  folder: string;
  report: TrialReport;
}

/** A dry run: the command line that would be run. */
interface Rehearsed extends Undoable {
  dry_run: true;
  words: string[];
}

/** What came of it when it ended at once; otherwise the trial is in the list when it ended. */
interface Started extends Undoable {
  decision: unknown;
}

export type Tried = Rehearsed | Started;
