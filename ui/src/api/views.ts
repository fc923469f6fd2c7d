// The answer of a view: columns with types and units, and rows. Owns reading it, whatever form the rows have.

export interface ViewColumn {
  name: string;
  title?: string;
  type?: string;
  unit?: string | null;
}

export type Cellish = string | number | boolean | null | undefined | object;
export type ViewRow = Record<string, Cellish>;

export interface ViewAnswer {
  columns?: (ViewColumn | string)[];
  rows?: (Cellish[] | ViewRow)[];
  items?: ViewRow[];
  total?: number;
  /** The answer of a view that is one object. */
  object?: ViewRow | null;
}

export interface Table {
  columns: ViewColumn[];
  rows: ViewRow[];
}

/** Columns and rows as objects. Rows may come as lists in the order of the columns, or as objects. */
export function tableOf(answer: ViewAnswer | ViewRow[] | ViewRow | null | undefined): Table {
  if (!answer) return { columns: [], rows: [] };
  const given = Array.isArray(answer) ? answer : ((answer as ViewAnswer).rows ?? (answer as ViewAnswer).items);
  const raw = given ?? ("columns" in answer ? [] : [answer as ViewRow]);
  const named = Array.isArray(answer) ? undefined : (answer as ViewAnswer).columns;
  const columns: ViewColumn[] = named
    ? named.map((one) => (typeof one === "string" ? { name: one } : one))
    : Object.keys((raw[0] as ViewRow | undefined) ?? {}).map((name) => ({ name }));
  if (raw.length === 0 && !Array.isArray(answer) && (answer as ViewAnswer).object)
    return tableOf([(answer as ViewAnswer).object as ViewRow]);
  const rows = raw.map((row) =>
    Array.isArray(row) ? Object.fromEntries(columns.map((column, position) => [column.name, row[position]])) : row,
  );
  return { columns, rows };
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
