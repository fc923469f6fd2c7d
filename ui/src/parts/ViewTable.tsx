// The rows of a view as a table: times in the reader's zone, numbers with their units.
import { num, str, type Table, unitOf, type ViewRow } from "../api/views";
import { type Column, CsvButton, DataTable } from "./DataTable";
import { measured, NOTHING } from "./format";
import { Empty } from "./States";
import { Time } from "./Time";

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;

export function viewColumns(table: Table): Column<ViewRow>[] {
  return table.columns.map((column) => {
    const sample = table.rows.find((row) => row[column.name] !== null && row[column.name] !== undefined)?.[column.name];
    const isNumber = typeof sample === "number";
    const isTime = typeof sample === "string" && MOMENT.test(sample);
    const unit = unitOf(column);
    return {
      id: column.name,
      header: column.name.replaceAll("_", " "),
      align: isNumber ? "right" : "left",
      width: isTime ? "210px" : isNumber ? "118px" : "minmax(130px, 1.4fr)",
      value: (row) => {
        const value = row[column.name];
        return typeof value === "object" && value !== null
          ? JSON.stringify(value)
          : (value as string | number | boolean | null);
      },
      cell: (row) => {
        const value = row[column.name];
        if (value === null || value === undefined || value === "") return NOTHING;
        if (isTime) return <Time at={str(value)} form="full" />;
        return isNumber ? measured(num(value), unit) : str(value);
      },
    };
  });
}

export function ViewTable({
  label,
  table,
  height = 320,
  onOpen,
  empty,
}: {
  label: string;
  table: Table;
  height?: number;
  onOpen?: (row: ViewRow) => void;
  empty?: string;
}) {
  const columns = viewColumns(table);
  const numbers = new Map(table.rows.map((row, position) => [row, String(position)]));
  return (
    <DataTable
      label={label}
      rows={table.rows}
      columns={columns}
      rowKey={(row) => numbers.get(row) ?? ""}
      height={height}
      onOpen={onOpen}
      empty={<Empty title={empty ?? "No rows"} />}
    />
  );
}

export function ViewCsv({ table, file }: { table: Table; file: string }) {
  return <CsvButton rows={table.rows} columns={viewColumns(table)} file={file} />;
}
