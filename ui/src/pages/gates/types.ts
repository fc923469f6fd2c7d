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
  verdict: string | null;
  at: string | null;
}

export interface GateDefinition {
  gate: string;
  title: string;
  notes?: string[];
  criterion: {
    id: string;
    text: string;
    required: boolean;
    category?: string;
    evidence: { kind: string; rule?: string | null; hint?: string | null }[];
  }[];
}

export interface GateDetail {
  gate: GateDefinition;
  judgement: Judgement | null;
  history: { id: string; at: string; actor: string; verdict: string }[];
  report: string | null;
}
