// Shapes of gates and their judgements.
import type { Undoable } from "../../api/types";

export type Verdict = "GO" | "NO-GO" | "INCONCLUSIVE" | "UNKNOWN";

export interface Blocker {
  criterion: string;
  text: string;
  says: string;
  standing: string;
  /** Points that it would add to the score. */
  adds: number;
  hint: string | null;
}

export interface Evidence {
  query: string;
  says: string;
  standing: string;
  threshold: string;
  value: number | null;
  sample: number | null;
  least_sample: number | null;
  missing_sample: number | null;
  at: string | null;
  expires_at: string | null;
}

export interface Judged {
  id: string;
  text: string;
  answer: "YES" | "PARTIAL" | "NO" | "UNKNOWN";
  required: boolean;
  guards_data: boolean;
  evidence: Evidence[];
}

export interface Readiness {
  score: number;
  at_most: number;
  change: number | null;
  baseline_at: string | null;
  categories: {
    name: string;
    score: number;
    at_most: number;
    change: number | null;
    weight_percent: number;
    unknown: number;
  }[];
}

export interface Judgement {
  gate: string;
  title: string;
  at: string;
  verdict: Verdict;
  blockers: Blocker[];
  advisories: Blocker[];
  criteria: Judged[];
  missing_sample: string[];
  path: Blocker[];
  readiness: Readiness | null;
}

export interface GateLine {
  gate: string;
  title: string;
  criteria: number;
  from: string;
  /** Null until it was asked. */
  verdict: Verdict | null;
  at: string | null;
  requirements: string[];
}

export interface GateDefinition {
  gate: string;
  title: string;
  notes: string[];
  requirements: string[];
  category: { name: string; weight: number; baseline: number | null }[];
  least_score: number | null;
  criterion: {
    id: string;
    text: string;
    required: boolean;
    guards_data: boolean;
    category: string | null;
    /** Each has further members by its kind. */
    evidence: { kind: string; rule: string; text: string | null; hint: string | null }[];
  }[];
}

export interface GateDetail {
  gate: GateDefinition;
  judgement: Judgement | null;
  history: { id: string; at: string; actor: string; verdict: Verdict }[];
  baselines: { gate: string; at: string; actor: string; reason: string; verdict: string; scores: [string, number][] }[];
  report: string | null;
}

/** What came of asking a gate's evidence. */
export interface Evaluated extends Undoable {
  id: string;
  judgement: Judgement;
}
