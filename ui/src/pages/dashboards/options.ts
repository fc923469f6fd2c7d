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
  const wanted = panel.y.filter((one) => names.includes(one));
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
  if (panel.kind === "heatmap") return heatmap(table, axes);
  if (panel.kind === "timeline") return timeline(panel, table, axes);
  if (panel.kind === "sankey") return sankey(panel, table);
  if (panel.kind === "histogram") return histogram(panel, table, axes);
  const { names, xs, values } = seriesOf(table, axes);
  const isTime = xs.length > 0 && xs.every((x) => MOMENT.test(x));
  const isLine = panel.kind === "line";
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
      stack: panel.kind === "stacked" ? "all" : undefined,
      showSymbol: xs.length < 40,
      symbolSize: 5,
      barMaxWidth: 28,
      data: values.get(name),
    })),
  };
}

/** Colours over `x` and `series`, as deep as the value of `y`. */
function heatmap(table: Table, axes: Axes): ChartOption {
  const rowName =
    axes.series ??
    table.columns.find((column) => column.name !== axes.x && !axes.y.includes(column.name))?.name ??
    axes.x;
  const valueName = axes.y[0] ?? "";
  const xs = [...new Set(table.rows.map((row) => str(row[axes.x])))].sort(byNumber);
  const ys = [...new Set(table.rows.map((row) => str(row[rowName])))].sort(byNumber);
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

function byNumber(left: string, right: string): number {
  return Number(left) - Number(right) || 0;
}

/** A bar for each row, beginning at `x` and as long as `length`; the first row stands on top. */
function timeline(panel: PanelDefinition, table: Table, axes: Axes): ChartOption {
  const text = (row: Table["rows"][number]) => {
    const name = str(panel.label ? row[panel.label] : "") || str(row.event_type) || "event";
    return `${"  ".repeat(num(panel.depth ? row[panel.depth] : 0) ?? 0)}${name}`;
  };
  const length = (row: Table["rows"][number]) => num(panel.length ? row[panel.length] : null) ?? 0;
  const start = (row: Table["rows"][number]) => num(row[axes.x]) ?? new Date(str(row[axes.x])).getTime();
  const starts = table.rows.map(start);
  const least = Math.min(...starts);
  return {
    tooltip: { trigger: "item" },
    xAxis: { type: "value" },
    yAxis: { type: "category", data: table.rows.map((row, position) => `${position + 1} ${text(row)}`), inverse: true },
    series: [
      {
        type: "bar",
        stack: "time",
        silent: true,
        itemStyle: { color: "transparent" },
        data: starts.map((one) => one - least),
      },
      { type: "bar", stack: "time", barMinHeight: 2, data: table.rows.map(length) },
    ],
  };
}

function sankey(panel: PanelDefinition, table: Table): ChartOption {
  const names = table.columns.map((column) => column.name);
  const source = panel.source ?? names[0] ?? "";
  const target = panel.target ?? names[1] ?? "";
  const value = panel.y[0] ?? names[2] ?? "";
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

function histogram(panel: PanelDefinition, table: Table, axes: Axes): ChartOption {
  const name = panel.x ?? axes.y[0] ?? "";
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
