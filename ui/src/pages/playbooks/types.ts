// Shapes of playbooks and their runs.

export interface PlaybookLine {
  playbook: string;
  title: string;
  purpose: string;
  kind: string;
  state: string;
  owner: string;
  priority: string;
  target: string;
  progress_percent: number;
  tasks: [number, number, number] | number[];
  steps: [number, number] | number[];
  latest: { id: string; status: string } | string | null;
}

export interface PlaybookStep {
  id: string;
  title: string;
  kind: string;
  run?: string | null;
  gate?: string | null;
  flag?: string | null;
  rollback?: string[];
  nothing_to_take_back?: string | null;
  limit?: string | null;
}

export interface PlaybookDetail {
  front: {
    playbook: string;
    title: string;
    purpose: string;
    state?: string;
    owner: string;
    priority?: string;
    target?: string;
    created?: string;
    requirements?: string[];
    parameters?: Record<string, { default: string | null; help: string }>;
  };
  state: string;
  steps: PlaybookStep[];
  tasks: unknown[];
  runs: PlaybookRun[];
}

export interface PlaybookRun {
  id: string;
  playbook: string;
  status: string;
  actor: string;
  requested?: string | null;
  simulated?: boolean;
  started_at?: string;
  finished_at?: string | null;
  parameters?: Record<string, string>;
  current?: string | null;
}

export interface PlaybookEntry {
  sequence: number;
  step: string;
  action: "do" | "undo";
  status: string;
  command: string;
  started_at: string;
  finished_at: string | null;
  code: number | null;
  output?: string | null;
  message?: string | null;
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
