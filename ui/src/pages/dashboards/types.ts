// The definition of a dashboard: rows of panels over views and metrics, with parameters.

export interface PanelDefinition {
  id?: string;
  name?: string;
  panel?: string;
  title?: string;
  kind: string;
  view?: string;
  metric?: string;
  span?: number;
  x?: string;
  y?: string | string[];
  series?: string;
  value?: string;
  source?: string;
  target?: string;
  unit?: string;
  empty?: string;
  drill?: string | { dashboard?: string; to?: string };
  thresholds?: { warn?: number; bad?: number };
  direction?: "up" | "down";
  text?: string;
}

export interface Parameter {
  name: string;
  kind?: string;
  title?: string;
  default?: string;
  options?: string[];
  help?: string;
}

export interface Dashboard {
  name: string;
  id?: string;
  title: string;
  area?: string;
  system?: string;
  about?: string;
  help?: string;
  refresh?: string;
  params?: Parameter[];
  param?: Parameter[];
  parameters?: Parameter[];
  rows?: { title?: string; panels?: PanelDefinition[]; panel?: PanelDefinition[] }[];
  row?: { title?: string; panels?: PanelDefinition[]; panel?: PanelDefinition[] }[];
}

export function panelId(panel: PanelDefinition): string {
  return panel.id ?? panel.name ?? panel.panel ?? panel.title ?? "";
}

export function parametersOf(dashboard: Dashboard): Parameter[] {
  return dashboard.parameters ?? dashboard.params ?? dashboard.param ?? [];
}

export function rowsOf(dashboard: Dashboard): { title?: string; panels: PanelDefinition[] }[] {
  return (dashboard.rows ?? dashboard.row ?? []).map((row) => ({
    title: row.title,
    panels: row.panels ?? row.panel ?? [],
  }));
}
