// Shapes of checks and their results.
import type { ViewRow } from "../../api/views";

export interface CheckResult {
  run: string;
  checked_at: string;
  verdict: "pass" | "warn" | "fail" | "error" | "unknown";
  value: number | null;
  /** Empty for a plain number. */
  unit: string;
  threshold: string;
  sample_size: number | null;
  message: string | null;
}

export interface Check {
  system: string;
  check: string;
  title: string;
  severity: string;
  dimension: string;
  rule: string;
  /** What it looks at, such as `completeness` or `query`. */
  kind: string;
  schedule: string | null;
  hint: string;
  requirements: string[];
  /** Null until it was run. */
  last: CheckResult | null;
}

/** With its results, the newest first. */
export interface CheckDetail extends Check {
  trend: CheckResult[];
}

/** What a check finds when it is asked now; nothing of it is kept. */
export interface Looked {
  verdict: CheckResult["verdict"];
  value: number | null;
  unit?: string;
  sample_size?: number;
  /** The value with its siblings. */
  numbers?: Record<string, number>;
  message?: string;
  /** Rows that break the rule; none where it is kept, or where the check names no rows. */
  samples?: ViewRow[];
  /** With a cohort: the value is the cohort's. */
  cohort?: {
    name: string;
    control: number | null;
    control_size: number | null;
    difference: number | null;
    /** Where the true difference lies with 95 percent certainty. */
    interval?: [number, number];
  };
}
