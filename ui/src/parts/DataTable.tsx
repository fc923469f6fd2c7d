// The table of every list: sorted by its headers, virtualised, walked with arrow keys, downloaded as CSV.
// Owns the markup and the keyboard; TanStack Table owns the order, TanStack Virtual what is on screen.
// Invariant: only the rows in view are in the document, however long the list is.
import { ActionIcon, Tooltip } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconDownload } from "@tabler/icons-react";
import {
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  sortFns,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { csv, download } from "./csv";
import { measured } from "./format";

export interface Column<T> {
  id: string;
  header: string;
  /** What the column sorts by and what a CSV has. */
  value: (row: T) => string | number | boolean | null | undefined;
  cell?: (row: T) => ReactNode;
  /** A track of a CSS grid, such as `120px` or `minmax(140px, 2fr)`. */
  width?: string;
  align?: "left" | "right";
  sortable?: boolean;
}

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns,
});

export interface DataTableProps<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey: (row: T) => string;
  onOpen?: (row: T) => void;
  empty?: ReactNode;
  height?: number | string;
  rowHeight?: number;
  file?: string;
  initialSort?: SortingState;
  current?: string | null;
  onEnd?: () => void;
  /** The order is the server's: `model`, `-model`, or none. Clicks on headers ask for another. */
  order?: { by: string | undefined; set: (by: string | undefined) => void };
}

/** Up, down, none: what a click on a header asks the server for. */
export function nextOrder(now: string | undefined, id: string): string | undefined {
  return now === id ? `-${id}` : now === `-${id}` ? undefined : id;
}

const TRACK = "minmax(110px, 1fr)";

export function DataTable<T>(props: DataTableProps<T>) {
  const {
    label,
    rows,
    columns,
    rowKey,
    onOpen,
    empty,
    height = 480,
    rowHeight = 34,
    initialSort = [],
    onEnd,
    order: asked,
  } = props;
  const served = asked !== undefined;
  const definitions = useMemo(
    () =>
      columns.map((column) => ({
        id: column.id,
        header: column.header,
        accessorFn: (row: unknown) => column.value(row as T) ?? null,
        enableSorting: !served && (column.sortable ?? true),
        sortUndefined: "last" as const,
      })),
    [columns, served],
  );
  const table = useTable({
    features,
    columns: definitions as never,
    data: rows as never[],
    initialState: { sorting: initialSort },
  });
  const sorted = table.getRowModel().rows;
  const byId = useMemo(() => new Map(columns.map((column) => [column.id, column])), [columns]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    initialRect: { width: 1000, height: typeof height === "number" ? height : 480 },
  });
  const [active, setActive] = useState(-1);
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd && sorted.length > 0 && last >= sorted.length - 5) onEnd();
  }, [last, sorted.length, onEnd]);

  const move = (event: KeyboardEvent) => {
    if (event.target !== scroller.current) return;
    const page = 12;
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    let next: number | null = null;
    const step = steps[event.key];
    if (step !== undefined) next = active + step;
    else if (event.key === "Home") next = 0;
    else if (event.key === "End") next = sorted.length - 1;
    else if (event.key === "Enter" && onOpen) {
      const row = sorted[active];
      if (row) onOpen(row.original as T);
      return;
    }
    if (next === null) return;
    event.preventDefault();
    const bounded = Math.max(0, Math.min(sorted.length - 1, next));
    setActive(bounded);
    virtual.scrollToIndex(bounded);
  };

  if (rows.length === 0 && empty) return <>{empty}</>;
  const template = columns.map((column) => column.width ?? TRACK).join(" ");
  const wide = columns.reduce((sum, column) => sum + leastWidth(column.width ?? TRACK), 0);
  const full = virtual.getTotalSize();
  const inView = typeof height === "number" ? Math.min(height, full + rowHeight + 6) : height;
  return (
    <div
      ref={scroller}
      className="dt"
      style={{ height: inView }}
      role="table"
      aria-label={label}
      aria-rowcount={sorted.length + 1}
      tabIndex={0}
      onKeyDown={move}
    >
      <div role="rowgroup" className="head" style={{ minWidth: wide }}>
        <div role="row" aria-rowindex={1} style={{ gridTemplateColumns: template, height: rowHeight - 2 }}>
          {table.getHeaderGroups()[0]?.headers.map((header) => {
            const column = byId.get(header.column.id);
            const canSort = asked ? (column?.sortable ?? true) : header.column.getCanSort();
            const order = asked ? orderOf(asked.by, header.column.id) : header.column.getIsSorted();
            const sort = order === "asc" ? "ascending" : order === "desc" ? "descending" : "none";
            return (
              <div
                key={header.id}
                role="columnheader"
                aria-sort={canSort ? sort : undefined}
                className={`cell ${column?.align === "right" ? "right" : ""}`}
              >
                {canSort ? (
                  <button
                    type="button"
                    className="sort"
                    onClick={(event) =>
                      asked
                        ? asked.set(nextOrder(asked.by, header.column.id))
                        : header.column.getToggleSortingHandler()?.(event)
                    }
                  >
                    {column?.header}
                    {order === "asc" ? (
                      <IconArrowUp size={12} />
                    ) : order === "desc" ? (
                      <IconArrowDown size={12} />
                    ) : null}
                  </button>
                ) : (
                  column?.header
                )}
              </div>
            );
          })}
        </div>
      </div>
      <div role="rowgroup" style={{ height: full, position: "relative", minWidth: wide }}>
        <div className="lines" role="presentation" style={{ transform: `translateY(${shown[0]?.start ?? 0}px)` }}>
          {shown.map((item) => {
            const row = sorted[item.index];
            if (!row) return null;
            const data = row.original as T;
            const key = rowKey(data);
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={item.index + 2}
                data-current={item.index === active || key === props.current}
                className={onOpen ? "open" : undefined}
                style={{ gridTemplateColumns: template, height: rowHeight }}
                onClick={
                  onOpen
                    ? (event) => {
                        setActive(item.index);
                        if (!(event.target as HTMLElement).closest("a, button, input, label")) onOpen(data);
                      }
                    : undefined
                }
              >
                {columns.map((column) => (
                  <div
                    key={column.id}
                    role="cell"
                    className={`cell ${column.align === "right" ? "right" : ""}`}
                    title={titleOf(column, data)}
                  >
                    {column.cell ? column.cell(data) : measured(column.value(data))}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function titleOf<T>(column: Column<T>, row: T): string | undefined {
  const value = column.value(row);
  return typeof value === "string" && value.length > 24 ? value : undefined;
}

function orderOf(by: string | undefined, id: string): "asc" | "desc" | false {
  return by === id ? "asc" : by === `-${id}` ? "desc" : false;
}

/** The pixels that a track never falls below, for the width at which a table begins to scroll. */
function leastWidth(track: string): number {
  return Number(/(\d+)px/.exec(track)?.[1] ?? 110);
}

/** Downloads all rows of a list, in the order in which they were given. */
export function CsvButton<T>({ rows, columns, file }: { rows: T[]; columns: Column<T>[]; file: string }) {
  return (
    <Tooltip label="Download as CSV">
      <ActionIcon
        aria-label={`Download ${file} as CSV`}
        disabled={rows.length === 0}
        onClick={() =>
          download(
            `${file}.csv`,
            csv(
              columns.map((column) => column.header),
              rows.map((row) => columns.map((column) => column.value(row))),
            ),
          )
        }
      >
        <IconDownload size={16} />
      </ActionIcon>
    </Tooltip>
  );
}
