// Shapes of checks and their results.

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
  schedule: string | null;
  hint: string;
  requirements: string[];
  /** Null until it was run. */
  last: CheckResult | null;
}

/** With its results, the newest first; an analytical store keeps the last one only. */
export interface CheckDetail extends Check {
  trend: CheckResult[];
}
