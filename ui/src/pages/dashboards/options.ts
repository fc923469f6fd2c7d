// From the rows of a view and the definition of a panel to an option of ECharts. Pure, so that it is tested without a browser.
import { num, str, type Table, type ViewColumn } from "../../api/views";
import type { ChartOption } from "../../parts/Chart";
import type { PanelDefinition } from "./types";

const MOMENT = /^\d{4}-\d{2}(-\d{2})?([T ]|$)/;

export interface Axes {
  x: string;
  y: string[];
  series: string | null;
}

/** Which columns stand for what: those that the panel names, else the first text and the numbers after it. */
export function axesOf(panel: PanelDefinition, table: Table): Axes {
  const isNumber = (column: ViewColumn) => table.rows.some((row) => typeof row[column.name] === "number");
  const names = table.columns.map((column) => column.name);
  const x =
    panel.x && names.includes(panel.x)
      ? panel.x
      : (table.columns.find((column) => !isNumber(column))?.name ?? names[0] ?? "");
  const wanted = (Array.isArray(panel.y) ? panel.y : panel.y ? [panel.y] : panel.value ? [panel.value] : []).filter(
    (one) => names.includes(one),
  );
  const numbers = table.columns.filter((column) => column.name !== x && isNumber(column)).map((column) => column.name);
  return {
    x,
    y: wanted.length > 0 ? wanted : numbers.slice(0, 1),
    series: panel.series && names.includes(panel.series) ? panel.series : null,
  };
}

/** One line for each series: what stands at each x. */
export function seriesOf(
  table: Table,
  axes: Axes,
): { names: string[]; xs: string[]; values: Map<string, (number | null)[]> } {
  const xs = [...new Set(table.rows.map((row) => str(row[axes.x])))];
  const at = new Map(xs.map((x, position) => [x, position]));
  const values = new Map<string, (number | null)[]>();
  const line = (name: string) => {
    const known = values.get(name);
    if (known) return known;
    const fresh: (number | null)[] = xs.map(() => null);
    values.set(name, fresh);
    return fresh;
  };
  for (const row of table.rows) {
    const position = at.get(str(row[axes.x]));
    if (position === undefined) continue;
    for (const y of axes.y) {
      const name = axes.series ? str(row[axes.series]) || "none" : y.replaceAll("_", " ");
      line(name)[position] = num(row[y]);
    }
  }
  return { names: [...values.keys()], xs, values };
}

export function optionOf(panel: PanelDefinition, table: Table): ChartOption {
  const axes = axesOf(panel, table);
  if (panel.kind === "heatmap" || panel.kind === "heat map" || panel.kind === "heat-map")
    return heatmap(panel, table, axes);
  if (panel.kind === "sankey") return sankey(panel, table);
  if (panel.kind === "histogram") return histogram(table, axes);
  const { names, xs, values } = seriesOf(table, axes);
  const isTime = xs.length > 0 && xs.every((x) => MOMENT.test(x));
  const isLine = panel.kind === "line" || panel.kind === "timeseries" || panel.kind === "area";
  const lying = !isLine && !isTime && panel.kind !== "stacked" && xs.some((x) => x.length > 14);
  const category = { type: "category", data: xs.map((x) => (isTime ? x.slice(0, 10) : x)), inverse: lying };
  const value = { type: "value" };
  return {
    ...(names.length > 1 ? { legend: {} } : {}),
    xAxis: lying ? value : category,
    yAxis: lying ? category : value,
    series: names.map((name) => ({
      name,
      type: isLine ? "line" : "bar",
      stack: panel.kind === "stacked" || panel.kind === "area" ? "all" : undefined,
      areaStyle: panel.kind === "area" ? { opacity: 0.25 } : undefined,
      showSymbol: xs.length < 40,
      symbolSize: 5,
      barMaxWidth: 28,
      data: values.get(name),
    })),
  };
}

function heatmap(panel: PanelDefinition, table: Table, axes: Axes): ChartOption {
  const y = Array.isArray(panel.y) ? panel.y[0] : panel.y;
  const names = table.columns.map((column) => column.name);
  const rowName = y && names.includes(y) ? y : (names.find((name) => name !== axes.x) ?? axes.x);
  const valueName =
    panel.value && names.includes(panel.value)
      ? panel.value
      : (names.filter((name) => name !== axes.x && name !== rowName).at(-1) ?? "");
  const xs = [...new Set(table.rows.map((row) => str(row[axes.x])))];
  const ys = [...new Set(table.rows.map((row) => str(row[rowName])))];
  const data = table.rows.map((row) => [
    xs.indexOf(str(row[axes.x])),
    ys.indexOf(str(row[rowName])),
    num(row[valueName]) ?? 0,
  ]);
  const most = Math.max(1, ...data.map((one) => one[2] ?? 0));
  return {
    tooltip: { trigger: "item" },
    xAxis: { type: "category", data: xs },
    yAxis: { type: "category", data: ys },
    visualMap: { min: 0, max: most, show: false, inRange: { color: ["#dcebf1", "#7db4cc", "#1d6782", "#0b3a4b"] } },
    series: [{ type: "heatmap", data }],
  };
}

function sankey(panel: PanelDefinition, table: Table): ChartOption {
  const names = table.columns.map((column) => column.name);
  const source = panel.source ?? names[0] ?? "";
  const target = panel.target ?? names[1] ?? "";
  const value = panel.value ?? names[2] ?? "";
  const links = table.rows
    .map((row) => ({
      source: str(row[source]) || "none",
      target: `${str(row[target]) || "none"} `,
      value: num(row[value]) ?? 0,
    }))
    .filter((link) => link.value > 0);
  const nodes = [...new Set(links.flatMap((link) => [link.source, link.target]))].map((name) => ({ name }));
  return {
    tooltip: { trigger: "item" },
    series: [{ type: "sankey", data: nodes, links, left: 8, right: 90, top: 8, bottom: 8 }],
  };
}

const BINS = 20;

function histogram(table: Table, axes: Axes): ChartOption {
  const name = axes.y[0] ?? "";
  const values = table.rows.map((row) => num(row[name])).filter((one): one is number => one !== null);
  const least = Math.min(...values);
  const most = Math.max(...values);
  const width = (most - least) / BINS || 1;
  const bins = Array.from({ length: BINS }, () => 0);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor((value - least) / width));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  return {
    xAxis: { type: "category", data: bins.map((_, bin) => (least + bin * width).toPrecision(3)) },
    yAxis: { type: "value" },
    series: [{ type: "bar", data: bins, barCategoryGap: "4%" }],
  };
}
