// Shapes of incidents and of what is asked of people.

export interface Incident {
  id: string;
  number: number;
  cause: string;
  /** Empty for what belongs to no system. */
  system: string;
  status: "open" | "acknowledged" | "resolved";
  severity: string;
  title: string;
  detail: string;
  runbook: string;
  occurrences: number;
  reopened: number;
  notices: number;
  first_at: string;
  last_at: string;
  noticed_at: string | null;
  clear_since: string | null;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  resolved_by: string | null;
  resolved_at: string | null;
  resolution: string | null;
}

export interface AlertsAnswer {
  incidents: Incident[];
  severities: { severity: string; response: string }[];
  /** Notices that are not sent yet; no page reads what is in them. */
  waiting_notices: unknown[];
}
