// Shapes of flags, their history and what a change of one would do.
import type { Undoable } from "./types";

export interface Rollout {
  percent: number;
  algorithm: string;
  salt: string;
  /** Later percentages, each from a moment on. */
  stages?: { at: string; percent: number }[];
  constraints?: unknown[];
  segments?: number[];
}

/** What is empty is left out. A type and not an interface: its members are also walked by name. */
export type FlagDefinition = {
  name: string;
  description?: string;
  owner?: string;
  purpose?: string;
  state: "on" | "off" | "killed";
  salt: string;
  /** The field of the context that is drawn by; `userId` when left out. */
  key?: string;
  allow?: Record<string, string | null>;
  deny?: string[];
  rollout?: Rollout;
  rules?: unknown[];
  variants?: { name: string; weight: number; value?: unknown }[];
  default_variant?: string;
  requires?: unknown[];
  triggers?: unknown[];
  expires_at?: string;
  project?: string;
  impression_data?: boolean;
};

export interface Flag {
  id: string;
  version: number;
  archived: boolean;
  created_at: string;
  changed_at: string;
  flag: FlagDefinition;
}

export interface FlagVersion {
  version: number;
  at: string;
  actor: string;
  kind: string;
  reason: string;
  /** How many entered, left and were swapped. */
  effect: [number, number, number];
  exact: boolean;
  /** Whether the flag was deleted from then on. */
  archived: boolean;
  before: FlagDefinition | null;
  after: FlagDefinition;
}

export interface Difference {
  enter: string[];
  leave: string[];
  switch: string[];
  stay: number;
  of: number;
  exact: boolean;
}

export interface Finding {
  severity: "error" | "warning";
  place: string;
  what: string;
}

/** What a change did or would do. */
export interface FlagChange extends Undoable {
  kind: string;
  before: Flag | null;
  after: Flag;
  difference: Difference;
  findings: Finding[];
  version: number;
  dry_run: boolean;
  /** Of a kill: how far it has got with the clients. */
  arrival?: Arrival;
}

/** How far a version has got with the clients that were connected when it was pushed. */
export interface Arrival {
  version: number;
  clients: number;
  acknowledged: number;
  after_ms: number | null;
  slowest: { client: string; name: string; ms: number } | null;
  silent: { client: string; name: string; why: "late" | "gone" | "does not acknowledge" }[];
}

export interface Explanation {
  sentence: string;
  at: string;
  steps: { what: string; holds: boolean }[];
  evaluation: { on: boolean; value: unknown; variant: string | null; version: number };
  last_change: FlagVersion | null;
}

export interface FlagClient {
  client: string;
  /** What it calls itself; empty when it does not. */
  name: string;
  acknowledges: boolean;
  connected_at: string;
  acknowledged_version: number | null;
}
