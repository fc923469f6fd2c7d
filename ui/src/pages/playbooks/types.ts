// Shapes of playbooks and their runs.

export type PlanState = "Draft" | "In Progress" | "Complete" | "Paused";

export interface PlaybookLine {
  playbook: string;
  title: string;
  purpose: string;
  kind: "playbook" | "plan";
  state: PlanState;
  owner: string;
  priority: string | null;
  target: string;
  /** Null for a document without tasks and steps. */
  progress_percent: number | null;
  /** Done, in progress, not begun. */
  tasks: [number, number, number];
  /** Done by the latest run, of all. */
  steps: [number, number];
  latest: PlaybookRun | null;
}

export interface PlaybookStep {
  id: string;
  /** May be empty. */
  title: string;
  kind: "command" | "check" | "gate" | "backup" | "approval" | "wait" | "watch" | "flag";
  run: string | null;
  system: string | null;
  gate: string | null;
  flag: string | null;
  rollback: string[];
  nothing_to_take_back: string | null;
  limit: string;
}

export interface PlaybookDetail {
  front: {
    playbook: string;
    title: string;
    purpose: string;
    state: PlanState;
    owner: string;
    priority: string | null;
    target: string;
    created: string;
    requirements: string[];
    parameters: Record<string, { default: string | null; help: string }>;
  };
  state: PlanState;
  steps: PlaybookStep[];
  tasks: { state: "done" | "in_progress" | "not_started"; text: string; points: number | null; section: string }[];
  runs: PlaybookRun[];
}

export interface PlaybookRun {
  id: string;
  playbook: string;
  digest: string;
  parameters: Record<string, string>;
  simulated: boolean;
  keep: boolean;
  status: "running" | "waiting" | "paused" | "failed" | "rolled_back" | "done";
  requested: string | null;
  actor: string;
  reason: string;
  started_at: string;
  finished_at: string | null;
}

export interface PlaybookEntry {
  sequence: number;
  step: string;
  action: string;
  status: string;
  command: string;
  started_at: string;
  finished_at: string | null;
  code: number | null;
  output: string | null;
  message: string | null;
}

export interface Approval {
  step: string;
  at: string;
  actor: string;
  reason: string;
}

/** A run: what was done of each step, the steps as they are declared, and what would take it back. */
export interface PlaybookRunDetail {
  run: PlaybookRun;
  steps: PlaybookEntry[];
  approvals: Approval[];
  declared: PlaybookStep[];
  rollback: { step: string; line: string }[];
}
