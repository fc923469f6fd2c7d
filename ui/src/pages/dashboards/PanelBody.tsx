// What a panel shows: a number, a table, a chart, or that there is nothing in its window.
import { Text } from "@mantine/core";
import { useMemo } from "react";
import { num, str, type Table, unitOf } from "../../api/views";
import { Chart } from "../../parts/Chart";
import { measured } from "../../parts/format";
import { Empty } from "../../parts/States";
import { Status, type Tone } from "../../parts/Status";
import { ViewTable, viewColumns } from "../../parts/ViewTable";
import { axesOf, optionOf } from "./options";
import { type PanelDefinition, panelId } from "./types";

export function PanelBody({
  panel,
  table,
  onPick,
}: {
  panel: PanelDefinition;
  table: Table;
  onPick?: (value: string) => void;
}) {
  if (panel.kind === "text") return <Text style={{ whiteSpace: "pre-wrap" }}>{panel.text}</Text>;
  if (table.rows.length === 0) return <Empty title={panel.empty ?? "No data in this window"} />;
  if (panel.kind === "number" || panel.kind === "stat") return <Figure panel={panel} table={table} />;
  if (panel.kind === "table" || panel.kind === "timeline") {
    return <ViewTable label={panel.title ?? panelId(panel)} table={table} height={320} />;
  }
  return <Drawn panel={panel} table={table} onPick={onPick} />;
}

function Drawn({ panel, table, onPick }: { panel: PanelDefinition; table: Table; onPick?: (value: string) => void }) {
  const option = useMemo(() => optionOf(panel, table), [panel, table]);
  const columns = useMemo(() => viewColumns(table), [table]);
  return (
    <Chart
      label={panel.title ?? panelId(panel)}
      option={option}
      rows={table.rows}
      columns={columns}
      file={panelId(panel)}
      onPick={onPick}
    />
  );
}

/** How a figure stands beside its thresholds; which side is bad is the order of the two. */
export function toneFor(value: number | null, thresholds: PanelDefinition["thresholds"]): Tone | null {
  if (value === null || !thresholds) return null;
  const { warn, bad } = thresholds;
  const falling = warn !== undefined && bad !== undefined && bad < warn;
  const past = (limit: number | undefined) => limit !== undefined && (falling ? value <= limit : value >= limit);
  return past(bad) ? "bad" : past(warn) ? "warn" : "good";
}

function Figure({ panel, table }: { panel: PanelDefinition; table: Table }) {
  const axes = axesOf(panel, table);
  const name = axes.y[0] ?? axes.x;
  const column = table.columns.find((one) => one.name === name);
  const value = table.rows[0]?.[name];
  const tone = toneFor(num(value), panel.thresholds);
  const unit = panel.unit ?? (column ? unitOf(column) : null);
  return (
    <div>
      <Text fz={26} fw={650} className="num">
        {num(value) === null ? str(value) || "none" : measured(num(value), unit)}
      </Text>
      {tone ? (
        <Status
          word={tone}
          tone={tone}
          label={tone === "good" ? "within its limits" : tone === "warn" ? "near its limit" : "past its limit"}
        />
      ) : null}
    </div>
  );
}
