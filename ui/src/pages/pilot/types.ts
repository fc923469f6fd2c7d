// Shapes of the pilot: members and their stages, selections, parity, certificates.

/** The system whose pilot it is, as every route of it is filled. */
export const PILOT = { system: "luckygas" };

/** The stages in their order, and who writes in each. */
export const STAGES = [
  { stage: "waiting", says: "enrolled, the fences are up", writer: "legacy" },
  { stage: "snapshot", says: "rows are copied", writer: "legacy" },
  { stage: "catch_up", says: "what changed meanwhile is copied", writer: "legacy" },
  { stage: "verify", says: "both sides are compared, field by field", writer: "legacy" },
  { stage: "shadow_reads", says: "each question is asked of both sides", writer: "legacy" },
  { stage: "canary", says: "the new answers are shown, the way back is rehearsed", writer: "legacy" },
  { stage: "write_switch", says: "both sides are closed for moments", writer: "nobody" },
  { stage: "soak", says: "every change travels back to the legacy side", writer: "new" },
  { stage: "done", says: "nothing travels back any more", writer: "new" },
  { stage: "going_back", says: "what was written since is carried back", writer: "legacy" },
  { stage: "rolled_back", says: "back, with a certificate", writer: "legacy" },
] as const;

export interface PilotMember {
  customer: string;
  number: number;
  stage: string;
  canary: boolean;
  paused: boolean;
  reads: string;
  /** Nobody for the moments of a handover. */
  writer: string | null;
  epoch: number;
  missing: string[];
}

export interface PilotReport {
  members: number;
  stages: Record<string, number>;
  reads_compared: number;
  reads_differing: number;
  forced_steps: number;
  certificates: number;
  held: number;
  links: { entity: string; link: string; status: { conflicts: number; due: number } }[];
}

export interface PilotStatus {
  report: PilotReport;
  selection: { number: number; members: number; customers: number; made_at: string; reason: string } | null;
  questions: string[];
  stages: string[];
}

export interface Stratum {
  region: string;
  customer_type: string;
  eligible: number;
  earlier: number;
  members: number;
  exact: number;
}

export interface Covariate {
  name: string;
  cohort: number;
  rest: number;
  difference: number;
  missing?: number;
}

export interface Selection {
  number?: number;
  customers: number;
  eligible: number;
  asked: number;
  members: string[];
  entered: string[];
  kept_out?: Record<string, number>;
  balance: { strata: Stratum[]; covariates: Covariate[]; regions: Covariate[]; customer_types: Covariate[] };
  worst_difference: number;
  is_balanced: boolean;
  dry_run?: boolean;
  undo?: string | null;
}

export interface ParityEntity {
  entity: string;
  legacy_records: number;
  new_records: number;
  differing: number;
  pending: number;
  shown: {
    record: (string | number)[];
    how: string;
    fields: { column: string; legacy: unknown; new: unknown }[];
    reason: string | null;
  }[];
}

export interface Parity {
  equal: boolean;
  differing: number;
  pending: number;
  entities: ParityEntity[];
}

export interface TableDigest {
  table?: string;
  rows?: number;
  digest: string;
}

export interface Certificate {
  form: string;
  scope: { customer: string } | { cohort: { name: string; customers: string[] } };
  by: { actor: string; reason: string };
  began_at: string;
  ended_at: string;
  epoch: number;
  legacy_position: number;
  new_position: number;
  tables: {
    inserted: number;
    updated: number;
    deleted: number;
    before: TableDigest;
    after: TableDigest;
    oracle: TableDigest;
  }[];
  forced: unknown[];
}

export interface SignedCertificate {
  certificate: Certificate;
  digest: string;
  key_id: string;
  signature: string;
}

export interface Certified {
  signed: SignedCertificate;
  markdown: string;
}

/** How many members stand in each stage, in the order of the stages. */
export function stageCounts(status: PilotStatus): { stage: string; count: number }[] {
  return status.stages.map((stage) => ({ stage, count: status.report.stages[stage] ?? 0 }));
}
