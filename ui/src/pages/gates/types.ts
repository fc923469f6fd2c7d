// Shapes of gates and their judgements.

export interface Blocker {
  criterion: string;
  text: string;
  says: string;
  standing: string;
  adds?: number | null;
  hint?: string | null;
}

export interface Evidence {
  query: string;
  says: string;
  standing: string;
  threshold?: string | null;
  value?: number | null;
  sample?: number | null;
  missing_sample?: number | null;
  at?: string | null;
  expires_at?: string | null;
}

export interface Judged {
  id: string;
  text: string;
  answer: string;
  required: boolean;
  guards_data?: boolean;
  evidence: Evidence[];
}

export interface Readiness {
  score: number;
  at_most: number;
  change?: number | null;
  baseline_at?: string;
  categories: {
    name: string;
    score: number;
    at_most: number;
    change?: number | null;
    weight_percent: number;
    unknown: number;
  }[];
}

export interface Judgement {
  gate: string;
  title: string;
  at: string;
  verdict: string;
  blockers: Blocker[];
  advisories?: Blocker[];
  criteria: Judged[];
  path: Blocker[];
  readiness: Readiness | null;
}

export interface GateLine {
  gate: string;
  title: string;
  criteria: number;
  from?: string;
  last: { verdict: string; at?: string; score?: number | null } | string | null;
}

export interface GateDetail {
  gate?: string;
  title?: string;
  notes?: string[];
  judgement?: Judgement | null;
  last?: Judgement | null;
  criterion?: {
    id: string;
    text: string;
    required: boolean;
    category?: string;
    evidence: { kind: string; rule?: string; hint?: string | null }[];
  }[];
  [member: string]: unknown;
}

export function lastVerdict(line: GateLine): { verdict: string; at?: string; score?: number | null } | null {
  if (!line.last) return null;
  return typeof line.last === "string" ? { verdict: line.last } : line.last;
}
