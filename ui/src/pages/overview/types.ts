// What `GET /overview` says of each system; members that a system has nothing of are left out.
import type { List, Run } from "../../api/types";

export interface SystemOverview {
  system: string;
  health?: string;
  last_run?: Partial<Run> | null;
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
