// Shapes of the pilot: members and their stages, selections, parity, certificates.
import type { LinkStatus } from "../../api/sync";
import type { Undoable, Value } from "../../api/types";

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
  reads: "legacy" | "new";
  /** Nobody for the moments of a handover. */
  writer: "legacy" | "new" | null;
  epoch: number;
  missing: string[];
  enrolled_at: string;
  enrolled_by: string;
  reason: string;
}

/** A member with what happened to it and the records that cannot be carried. */
export interface MemberDetail {
  members: PilotMember[];
  held: { entity: string; key: string; why: string }[];
  happened: Happened[];
}

/** A type and not an interface: it is shown by the names of its members. */
export type Happened = { at: string; customer: string; actor: string; kind: string; detail: string };

export interface PilotReport {
  members: number;
  stages: Record<string, number>;
  reads_compared: number;
  reads_differing: number;
  forced_steps: number;
  certificates: number;
  held: number;
  links: { entity: string; link: string; status: LinkStatus }[];
}

export interface PilotStatus {
  report: PilotReport;
  /** The newest one. */
  selection: {
    id: string;
    number: number;
    members: number;
    customers: number;
    made_at: string;
    made_by: string;
    reason: string;
  } | null;
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

/** How the cohort stands beside the rest. Without members, or without any spread, there is nothing to say. */
export interface Average {
  name: string;
  cohort: number | null;
  rest: number | null;
  /** Members of whom it is not known. */
  missing: number;
  difference: number | null;
}

export interface Share {
  name: string;
  cohort: number;
  rest: number;
  difference: number | null;
}

export interface Selection extends Undoable {
  /** Null for one that was not kept. */
  id: string | null;
  number: number | null;
  customers: number;
  eligible: number;
  asked: number;
  members: string[];
  entered: string[];
  gone: string[];
  kept_out: Record<string, number>;
  balance: { strata: Stratum[]; covariates: Average[]; regions: Share[]; customer_types: Share[] };
  /** Null where a difference cannot be measured. */
  worst_difference: number | null;
  is_balanced: boolean;
  dry_run: boolean;
}

export interface ParityEntity {
  entity: string;
  legacy_records: number;
  new_records: number;
  differing: number;
  pending: number;
  shown: {
    record: Value[];
    how: "only_legacy" | "only_new" | "values";
    fields: { column: string; legacy: Value; new: Value }[];
    reason: string | null;
    new_key: Value[] | null;
  }[];
}

export interface Parity {
  equal: boolean;
  differing: number;
  pending: number;
  duration_ms: number;
  entities: ParityEntity[];
}

export interface TableDigest {
  table: string;
  rows: number;
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
  forced: {
    stage: string;
    missing: string[];
    known: number;
    loss: { writes: number; what: string };
    by: { actor: string; reason: string };
    at_ms: number;
  }[];
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
