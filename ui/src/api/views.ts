// The answer of a view: columns with types and units, and rows. Owns making a table of it.

export interface ViewColumn {
  name: string;
  type: string;
  unit: string | null;
}

export type Cellish = string | number | boolean | null | undefined | object;
export type ViewRow = Record<string, Cellish>;

export interface ViewAnswer {
  columns: ViewColumn[];
  /** In the order of the columns. */
  rows: Cellish[][];
  sections: Record<string, ViewAnswer>;
  /** Of a view that answers with one object. Columns such as `cost.list` are members of its members. */
  object: ViewRow | null;
}

export interface Table {
  columns: ViewColumn[];
  rows: ViewRow[];
}

/** Columns, and rows as objects with the columns' names. */
export function tableOf(answer: ViewAnswer | undefined): Table {
  if (!answer) return { columns: [], rows: [] };
  const { columns, rows, object } = answer;
  const named = (cell: (column: ViewColumn, position: number) => Cellish): ViewRow =>
    Object.fromEntries(columns.map((column, position) => [column.name, cell(column, position)]));
  // The rows of an object lack what is in members of members, so that it is read itself.
  if (object) return { columns, rows: [named((column) => member(object, column.name))] };
  return { columns, rows: rows.map((row) => named((_, position) => row[position])) };
}

function member(object: ViewRow, path: string): Cellish {
  return path
    .split(".")
    .reduce<Cellish>((at, name) => (typeof at === "object" && at !== null ? (at as ViewRow)[name] : undefined), object);
}

/** A table of rows that are objects already, all with the same members. */
export function tableOfRows(rows: ViewRow[]): Table {
  return { columns: Object.keys(rows[0] ?? {}).map((name) => ({ name, type: "text", unit: null })), rows };
}

/** The unit that a column has, or that its name says. */
export function unitOf(column: ViewColumn): string | null {
  if (column.unit) return column.unit;
  const { name } = column;
  if (/(^|_)(cost|usd|spend|price)($|_)/.test(name)) return "USD";
  if (name.endsWith("_ms")) return "ms";
  if (name.endsWith("_bytes") || name === "bytes") return "bytes";
  if (/(^|_)(share|rate|ratio)$/.test(name)) return "share";
  return null;
}

export function num(value: Cellish): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "string" && value !== "" && !Number.isNaN(Number(value))) return Number(value);
  return null;
}

export function str(value: Cellish): string {
  return value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}
