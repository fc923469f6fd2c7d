// Shapes of checks and their results.

export interface CheckResult {
  verdict: string;
  value?: number | null;
  unit?: string | null;
  checked_at?: string;
  at?: string;
  threshold?: string;
  trend?: string;
  before?: number | null;
  sample_size?: number | null;
  message?: string | null;
  numbers?: Record<string, number>;
  samples?: Record<string, unknown>[];
  sample?: Record<string, unknown>[];
  cohort?: unknown;
  hint?: string | null;
}

export interface Check {
  system: string;
  check: string;
  name?: string;
  title: string;
  kind?: string;
  dimension?: string;
  severity?: string;
  rule?: string;
  threshold?: string;
  requirements?: string[];
  last?: CheckResult | null;
  hint?: string | null;
}

export interface CheckDetail extends Check {
  trend?: CheckResult[];
  history?: CheckResult[];
  sample?: Record<string, unknown>[];
  samples?: Record<string, unknown>[];
  sql?: string;
  cohort?: Record<string, unknown> | null;
}

export function nameOf(check: Check): string {
  return check.check ?? check.name ?? "";
}
