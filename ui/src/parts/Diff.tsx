// Rows before and after. Unchanged columns stay out of sight until they are asked for.
import { Checkbox, Group, Text } from "@mantine/core";
import { useState } from "react";
import type { ChangeLine, Row, RowChange, Value } from "../api/types";
import { valueText } from "./format";

function same(left: Value | undefined, right: Value | undefined): boolean {
  return JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
}

/** The columns that a change touches. An update's `after` may hold only those. */
export function touched(before: Row | null | undefined, after: Row | null | undefined): string[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].filter((name) => {
    if (!before || !after) return true;
    return name in after && !same(before[name], after[name]);
  });
}

/** What a change is, where it does not say so itself. */
export function kindOf(change: ChangeLine | RowChange): RowChange["kind"] {
  if ("kind" in change) return change.kind;
  return change.before ? (change.after ? "update" : "delete") : "insert";
}

const KINDS = { insert: "inserted", update: "updated", delete: "deleted" } as const;

export function RowDiff({ change }: { change: ChangeLine | RowChange }) {
  const [all, setAll] = useState(false);
  const changed = touched(change.before, change.after);
  const names = all ? [...new Set([...Object.keys(change.before ?? {}), ...changed])] : changed;
  const kind = kindOf(change);
  const isUpdate = kind === "update";
  return (
    <div>
      <Group gap={8} px={10} py={6} justify="space-between">
        <Text fw={550}>
          <span className="mono">{change.table}</span> <span className="mono">{"key" in change ? change.key : ""}</span>{" "}
          {KINDS[kind]}
        </Text>
        {isUpdate ? (
          <Checkbox label="all columns" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
        ) : null}
      </Group>
      <table className="diff">
        <thead>
          <tr>
            <th scope="col" style={{ width: "24%" }}>
              column
            </th>
            {kind !== "insert" ? <th scope="col">before</th> : null}
            {kind !== "delete" ? <th scope="col">after</th> : null}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const differs = changed.includes(name);
            const after = change.after && name in change.after ? change.after[name] : change.before?.[name];
            return (
              <tr key={name}>
                <th scope="row" className="mono">
                  {name}
                </th>
                {kind !== "insert" ? (
                  <td className={differs ? "removed" : undefined}>
                    <Cell value={change.before?.[name]} />
                  </td>
                ) : null}
                {kind !== "delete" ? (
                  <td className={differs ? "added" : undefined}>
                    <Cell value={after} />
                  </td>
                ) : null}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function Cell({ value }: { value: Value | undefined }) {
  if (value === null || value === undefined) {
    return (
      <Text component="span" c="dimmed" fs="italic">
        null
      </Text>
    );
  }
  return <span>{valueText(value)}</span>;
}
