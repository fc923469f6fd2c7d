// The definition of a dashboard, as its TOML file says: rows of panels over views and metrics.
import type { ViewAnswer } from "../../api/views";

export type PanelKind =
  | "number"
  | "line"
  | "bar"
  | "stacked"
  | "heatmap"
  | "histogram"
  | "table"
  | "timeline"
  | "sankey";

/** Where a click on a value leads: another dashboard, with a parameter set from a column. */
export interface Drill {
  dashboard: string;
  parameter: string;
  column: string;
}

export interface PanelDefinition {
  panel: string;
  title: string;
  kind: PanelKind;
  view: string | null;
  section: string | null;
  metric: string | null;
  x: string | null;
  y: string[];
  series: string | null;
  label: string | null;
  length: string | null;
  depth: string | null;
  source: string | null;
  target: string | null;
  unit: string | null;
  set: Record<string, string>;
  drill: Drill | null;
  /** Of twelve. */
  width: number;
}

export interface Dashboard {
  dashboard: string;
  title: string;
  about: string;
  system: string | null;
  parameters: string[];
  requirements: string[];
  row: { title: string; panel: PanelDefinition[] }[];
}

/** One line of the list. */
export interface DashboardLine {
  dashboard: string;
  title: string;
  about: string;
  system: string | null;
  panels: number;
  from: string;
  requirements: string[];
}

/** What a panel shows: of a view its answer, of a metric a row for each sample. */
export interface PanelAnswer {
  panel: PanelDefinition;
  data: ViewAnswer;
}
