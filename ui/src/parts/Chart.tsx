// A chart with the table that stands behind it. Owns how a chart is loaded, sized and described; what it shows is an
// option of ECharts that the caller makes. ECharts itself is a file of its own and loaded when a chart first appears.
import { SegmentedControl, useComputedColorScheme } from "@mantine/core";
import type { EChartsCoreOption } from "echarts/core";
import { useEffect, useRef, useState } from "react";
import { type Column, CsvButton, DataTable } from "./DataTable";
import { Empty, Loading } from "./States";

export type ChartOption = EChartsCoreOption;

const LIGHT = ["#1d6782", "#c2712c", "#4c8c4a", "#8a5aa8", "#b8484f", "#6b7785", "#2b9c9c", "#a48a1f"];
const DARK = ["#6db3cf", "#e2a05f", "#83bf7f", "#bd95d8", "#ec8a8f", "#a3afbb", "#6ccaca", "#d9c262"];

export function Chart<T>({
  label,
  option,
  rows,
  columns,
  height = 260,
  file,
  onPick,
}: {
  label: string;
  option: ChartOption;
  rows: T[];
  columns: Column<T>[];
  height?: number;
  file: string;
  onPick?: (name: string) => void;
}) {
  const [face, setFace] = useState("chart");
  if (rows.length === 0) return <Empty title="No data in this window" />;
  return (
    <div>
      <div style={{ display: "flex", justifyContent: "flex-end", gap: 4, marginBottom: 4 }} className="no-print">
        <SegmentedControl
          size="xs"
          aria-label={`Show ${label} as`}
          value={face}
          onChange={setFace}
          data={[
            { value: "chart", label: "Chart" },
            { value: "table", label: "Table" },
          ]}
        />
        <CsvButton rows={rows} columns={columns} file={file} />
      </div>
      {face === "chart" ? (
        <Drawing label={label} option={option} height={height} onPick={onPick} />
      ) : (
        <DataTable label={label} rows={rows} columns={columns} height={height} rowKey={keyOf(rows)} />
      )}
    </div>
  );
}

function keyOf<T>(rows: T[]): (row: T) => string {
  const numbers = new Map(rows.map((row, number) => [row, String(number)]));
  return (row) => numbers.get(row) ?? "";
}

function Drawing({
  label,
  option,
  height,
  onPick,
}: {
  label: string;
  option: ChartOption;
  height: number;
  onPick?: (name: string) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme("light");
  const [ready, setReady] = useState(false);
  const picked = useRef(onPick);
  picked.current = onPick;
  useEffect(() => {
    let gone = false;
    let undo = () => {};
    void import("./echarts").then(({ echarts }) => {
      const node = place.current;
      if (gone || !node) return;
      const chart = echarts.init(node, null, { renderer: "svg" });
      const ink = scheme === "dark" ? "#b9c2cc" : "#46525e";
      const line = scheme === "dark" ? "#29323b" : "#e2e7ec";
      chart.setOption({
        color: scheme === "dark" ? DARK : LIGHT,
        textStyle: { fontFamily: "inherit", color: ink },
        grid: { left: 8, right: 14, top: 28, bottom: 8, containLabel: true },
        aria: { enabled: true, label: { description: label } },
        animation: false,
        tooltip: {
          trigger: "axis",
          backgroundColor: scheme === "dark" ? "#1c232b" : "#ffffff",
          borderColor: line,
          textStyle: { color: ink, fontSize: 12 },
          renderMode: "richText",
        },
        ...option,
        ...axes(option, ink, line),
      });
      chart.on("click", (event) => picked.current?.(String(event.name)));
      const watch = new ResizeObserver(() => chart.resize());
      watch.observe(node);
      setReady(true);
      undo = () => {
        watch.disconnect();
        chart.dispose();
      };
    });
    return () => {
      gone = true;
      undo();
    };
  }, [option, scheme, label]);
  return (
    <div style={{ position: "relative", height }}>
      {ready ? null : <Loading lines={5} />}
      <div ref={place} role="img" aria-label={label} style={{ position: "absolute", inset: 0 }} />
    </div>
  );
}

function axes(option: ChartOption, ink: string, line: string): ChartOption {
  const style = {
    axisLine: { lineStyle: { color: line } },
    axisTick: { show: false },
    axisLabel: { color: ink, fontSize: 11 },
    splitLine: { lineStyle: { color: line } },
  };
  const dressed: Record<string, unknown> = {};
  for (const name of ["xAxis", "yAxis"]) {
    const axis = option[name];
    if (Array.isArray(axis)) dressed[name] = axis.map((one) => ({ ...style, ...one }));
    else if (axis) dressed[name] = { ...style, ...(axis as object) };
  }
  if (option.legend) {
    dressed.legend = { textStyle: { color: ink, fontSize: 11 }, type: "scroll", top: 0, ...(option.legend as object) };
  }
  return dressed;
}
