// What a panel shows: figures, a table, a chart, or that there is nothing in its window.
import { Text } from "@mantine/core";
import { useMemo } from "react";
import { num, str, type Table, unitOf, type ViewRow } from "../../api/views";
import { Chart } from "../../parts/Chart";
import { measured } from "../../parts/format";
import { Empty } from "../../parts/States";
import { ViewTable, viewColumns } from "../../parts/ViewTable";
import { axesOf, optionOf } from "./options";
import type { PanelDefinition } from "./types";

export interface PanelProps {
  panel: PanelDefinition;
  table: Table;
  onOpen?: (row: ViewRow) => void;
}

export function PanelBody({ panel, table, onOpen }: PanelProps) {
  if (table.rows.length === 0) return <Empty title="No data in this window" />;
  if (panel.kind === "number") return <Figures panel={panel} table={table} />;
  if (panel.kind === "table") return <ViewTable label={panel.title} table={table} height={320} onOpen={onOpen} />;
  return <Drawn panel={panel} table={table} onOpen={onOpen} />;
}

function Drawn({ panel, table, onOpen }: PanelProps) {
  const option = useMemo(() => optionOf(panel, table), [panel, table]);
  const columns = useMemo(() => viewColumns(table), [table]);
  const { x } = axesOf(panel, table);
  const height = panel.kind === "timeline" ? Math.min(900, 60 + table.rows.length * 18) : 260;
  return (
    <Chart
      label={panel.title}
      option={option}
      rows={table.rows}
      columns={columns}
      file={panel.panel}
      height={height}
      onPick={
        onOpen
          ? (name) => {
              const row = table.rows.find((one) => str(one[x]).startsWith(name));
              if (row) onOpen(row);
            }
          : undefined
      }
    />
  );
}

const MOST = 8;

/** One figure, a few of one row, or one for each row, named by its `x`. */
function Figures({ panel, table }: PanelProps) {
  const axes = axesOf(panel, table);
  const many = table.rows.length > 1 && panel.x;
  const figures = many
    ? table.rows.slice(0, MOST).map((row) => ({ name: str(row[axes.x]), column: axes.y[0] ?? "", row }))
    : axes.y.map((column) => ({
        name: axes.y.length > 1 ? column.replaceAll("_", " ") : "",
        column,
        row: table.rows[0] ?? {},
      }));
  return (
    <div style={{ display: "flex", flexWrap: "wrap", gap: "8px 28px" }}>
      {figures.map(({ name, column, row }) => {
        const value = row[column];
        const known = table.columns.find((one) => one.name === column);
        const unit = panel.unit ?? (known ? unitOf(known) : null);
        return (
          <div key={`${name} ${column}`}>
            {name ? (
              <Text size="xs" c="dimmed">
                {name}
              </Text>
            ) : null}
            <Text fz={figures.length > 3 ? 20 : 26} fw={650} className="num">
              {num(value) === null ? str(value) || "none" : measured(num(value), unit)}
            </Text>
          </div>
        );
      })}
    </div>
  );
}
