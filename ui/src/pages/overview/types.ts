// What `GET /overview` says: every system that the caller sees, and what belongs to none.
import type { LinkStatus } from "../../api/sync";
import type { Run } from "../../api/types";
import type { Incident } from "../alerts/types";
import type { GateLine } from "../gates/types";

interface AnySystem {
  system: string;
  title: string;
  health: string;
  checks: number;
  failed_checks: number;
  open_quarantine: number;
  open_conflicts: number;
}

/** A system whose rows are changed by plans and runs; one that is linked says how far its link is. */
interface RowsSystem extends AnySystem {
  kind: "rows" | "linked";
  last_run: Run | null;
  runs: number;
  plans: number;
  /** Null where the link is not served. */
  sync: LinkStatus | null;
  /** How many there are, by table. */
  rows: Record<string, number | null>;
}

/** A system that is only asked: it has views and no runs. */
interface AnalyticSystem extends AnySystem {
  kind: "analytic";
  last_run: null;
  views: number;
}

export type SystemOverview = RowsSystem | AnalyticSystem;

export interface OverviewAnswer {
  systems: SystemOverview[];
  gates: GateLine[];
  incidents: Incident[];
  flags: number;
  flags_on: number;
  playbook_runs_open: number;
  schedules: number;
}

/** The newest runs, and the last one of every system: one that works without pause hides no other. */
export function newestRuns(runs: Run[], systems: Pick<SystemOverview, "last_run">[]): Run[] {
  const all = new Map(runs.map((run) => [run.id, run]));
  for (const { last_run: last } of systems) if (last) all.set(last.id, last);
  return [...all.values()].sort((left, right) => right.started_at.localeCompare(left.started_at));
}
