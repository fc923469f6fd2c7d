// Shapes of flags, their history and what a change of one would do.
import type { Undoable } from "./types";

export interface Rollout {
  percent: number;
  algorithm: string;
  salt: string;
  conditions?: unknown[];
}

export interface FlagDefinition {
  name: string;
  description?: string;
  owner?: string;
  state: "on" | "off" | "killed" | string;
  salt: string;
  key?: string;
  allow?: Record<string, string | null>;
  deny?: string[];
  rollout?: Rollout;
  rules?: unknown[];
  variants?: { name: string; weight: number; value?: unknown }[];
  requires?: unknown[];
  stages?: { at: string; percent: number }[];
  triggers?: unknown[];
  expires_at?: string;
  [member: string]: unknown;
}

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
  effect: [number, number, number];
  exact: boolean;
  before: FlagDefinition | null;
  after: FlagDefinition | null;
}

export interface Difference {
  enter: string[];
  leave: string[];
  switch: string[];
  stay: number;
  of: number;
  exact: boolean;
}

export interface FlagChange extends Undoable {
  kind: string;
  before: Flag | null;
  after: Flag | null;
  difference: Difference | null;
  findings?: unknown[];
  version: number;
  arrival?: Arrival | null;
}

export interface Arrival {
  sentence?: string;
  clients?: unknown[];
  [member: string]: unknown;
}

export interface Explanation {
  sentence: string;
  at: string;
  steps: { what: string; holds: boolean }[];
  evaluation: { on: boolean; value: unknown; variant: string | null; reason: string; version: number };
  last_change: FlagVersion | null;
}

export interface FlagClient {
  id?: string;
  client?: string;
  name?: string;
  version?: number;
  acknowledges?: boolean;
  [member: string]: unknown;
}
