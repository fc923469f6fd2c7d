// Every change of a flag: who, why, and what it did to the members; any version can be brought back.
import { Button } from "@mantine/core";
import { useMemo } from "react";
import type { Flag, FlagVersion } from "../../api/flags";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { Time } from "../../parts/Time";
import { useSession } from "../../shell/session";
import type { Wish } from "./ChangeFlag";

/** The members of the definition that differ between two versions, as words. */
export function whatChanged({ before, after, archived }: Pick<FlagVersion, "before" | "after" | "archived">): string {
  if (archived) return "deleted";
  if (!before) return "created";
  const changed = differing(before, after);
  return (
    changed
      .map((name) => {
        if (name === "state") return `${before.state} → ${after.state}`;
        if (name === "rollout") return `${before.rollout?.percent ?? "no"} % → ${after.rollout?.percent ?? "no"} %`;
        return name;
      })
      .join(", ") || "keys"
  );
}

function differing(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

export function FlagHistory({ flag, onWish }: { flag: Flag; onWish: (wish: Wish) => void }) {
  const query = useApi<FlagVersion[]>(get("/flags/{flag}/history", { flag: flag.flag.name }));
  const { can } = useSession();
  const may = can("operator");
  const columns = useMemo<Column<FlagVersion>[]>(
    () => [
      { id: "version", header: "Version", width: "76px", align: "right", value: (one) => one.version },
      {
        id: "at",
        header: "At",
        width: "172px",
        value: (one) => one.at,
        cell: (one) => <Time at={one.at} form="full" />,
      },
      { id: "actor", header: "By", width: "100px", value: (one) => one.actor },
      {
        id: "what",
        header: "What changed",
        width: "minmax(150px, 1fr)",
        value: (one) => whatChanged(one),
      },
      { id: "reason", header: "Reason", width: "minmax(180px, 2fr)", value: (one) => one.reason },
      {
        id: "effect",
        header: "Enter / leave / swap",
        width: "150px",
        align: "right",
        value: (one) => `${one.effect.join(" / ")}${one.exact ? "" : " (est.)"}`,
      },
      {
        id: "back",
        header: "",
        width: "100px",
        sortable: false,
        value: () => null,
        cell: (one) =>
          one.version !== flag.version && !one.archived ? (
            <Button
              size="compact-xs"
              variant="default"
              disabled={!may}
              onClick={() =>
                onWish({
                  title: `Bring version ${one.version} back`,
                  confirm: "Bring back",
                  body: { definition: restoring(flag.flag, one.after) },
                })
              }
            >
              Bring back
            </Button>
          ) : null,
      },
    ],
    [flag, may, onWish],
  );
  return (
    <Panel
      title="History"
      flush
      actions={<CsvButton rows={query.data ?? []} columns={columns} file={`history-${flag.flag.name}`} />}
    >
      <Answer query={query}>
        {(versions) => (
          <DataTable
            label="History of the flag"
            rows={versions}
            columns={columns}
            rowKey={(one) => String(one.version)}
            height={320}
            initialSort={[{ id: "version", desc: true }]}
          />
        )}
      </Answer>
    </Panel>
  );
}

/** What has to be merged into the definition as it is now, so that it becomes an earlier one: null takes a member away. */
export function restoring(now: Record<string, unknown>, then: Record<string, unknown>): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(now), ...Object.keys(then)])) {
    if (name === "name") continue;
    const before = now[name];
    const after = then[name];
    if (JSON.stringify(before) === JSON.stringify(after)) continue;
    if (after === undefined) patch[name] = null;
    else if (isObject(before) && isObject(after)) patch[name] = restoring(before, after);
    else patch[name] = after;
  }
  return patch;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
