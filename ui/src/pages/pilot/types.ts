// Shapes of the pilot: members and their stages, selections, parity, certificates.

export const BASE = "/systems/luckygas/pilot";

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
  number?: number;
  stage: string;
  canary: boolean;
  paused: boolean;
  reads: string;
  writer: string;
  epoch?: number;
  missing: string[];
}

export interface PilotStatus {
  stages?: Record<string, number>;
  members?: number | PilotMember[];
  held?: unknown[] | number;
  reads_compared?: number;
  reads_differing?: number;
  forced_steps?: number;
  conflicts?: number;
  failed?: number;
  gate?: { gate: string; verdict: string } | null;
  selection?: Selection | null;
  report?: PilotStatus | null;
  links?: { entity: string; status: { conflicts: number; due: number; work: Record<string, number> } }[];
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
  shown: { record: string[]; how: string; fields: unknown[]; reason: string | null; new_key?: string[] }[];
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
  by: { actor?: string; reason?: string; who?: string; why?: string };
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
  key_id?: string;
  signature?: string;
  mac?: string;
}

/** How many members stand in each stage, in the order of the stages. */
export function stageCounts(
  status: PilotStatus | undefined,
  members: PilotMember[],
): { stage: string; count: number }[] {
  const counts = new Map<string, number>(Object.entries(status?.stages ?? status?.report?.stages ?? {}));
  if (counts.size === 0) for (const one of members) counts.set(one.stage, (counts.get(one.stage) ?? 0) + 1);
  const known = STAGES.map(({ stage }) => ({ stage: stage as string, count: counts.get(stage) ?? 0 }));
  const others = [...counts]
    .filter(([stage]) => !STAGES.some((one) => one.stage === stage))
    .map(([stage, count]) => ({ stage, count }));
  return [...known, ...others];
}
