// What `GET /overview` says of each system; members that a system has nothing of are left out.
import type { List, Run } from "../../api/types";

export interface SystemOverview {
  system: string;
  health?: string;
  last_run?: Run | null;
  open_quarantine?: number;
  quarantine?: number;
  failed_checks?: number;
  open_conflicts?: number;
  conflicts?: number;
  gates?: { gate: string; verdict: string }[] | Record<string, string>;
  title?: string;
  kind?: string;
  runs?: number;
  plans?: number;
  checks?: number | unknown[];
}

export type OverviewAnswer = List<SystemOverview> | { systems: SystemOverview[] } | SystemOverview[];

export function overviewOf(answer: OverviewAnswer | null): SystemOverview[] {
  if (!answer) return [];
  if (Array.isArray(answer)) return answer;
  return "items" in answer ? answer.items : (answer.systems ?? []);
}

/** The newest runs, and the last one of every system: one that works without pause hides no other. */
export function newestRuns(runs: Run[], overview: SystemOverview[]): Run[] {
  const all = new Map(runs.map((run) => [run.id, run]));
  for (const { last_run: last } of overview) if (last) all.set(last.id, last);
  return [...all.values()].sort((left, right) => right.started_at.localeCompare(left.started_at));
}
