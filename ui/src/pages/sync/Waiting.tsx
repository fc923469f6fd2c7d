// Queue, limbo and dead letters of a link, and what can be done with a dead letter.
import { Anchor, Button, Group } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api } from "../../api/client";
import { post } from "../../api/request";
import type { Waiting } from "../../api/sync";
import type { List, Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { number } from "../../parts/format";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";

const KNOWN = new Set(["key", "scope", "state", "due_ms", "failures", "at", "since", "given_up_at"]);

/** What else a line says, as one text. */
function rest(one: Waiting): string {
  return Object.entries(one)
    .filter(([name, value]) => !KNOWN.has(name) && value !== null && value !== undefined)
    .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join(" · ");
}

function useColumns(system: string): Column<Waiting>[] {
  return useMemo(
    () => [
      {
        id: "key",
        header: "Record",
        width: "minmax(150px, 1fr)",
        value: (one) => one.key,
        cell: (one) => (
          <Anchor component={Link} to={href.record(system, one.key)} className="mono">
            {one.key}
          </Anchor>
        ),
      },
      { id: "scope", header: "Scope", width: "100px", value: (one) => one.scope },
      {
        id: "state",
        header: "State",
        width: "110px",
        value: (one) => one.state,
        cell: (one) => <Status word={one.state ?? "failed"} />,
      },
      {
        id: "due",
        header: "Due",
        width: "110px",
        value: (one) => one.due_ms,
        cell: (one) => <Time at={one.due_ms ? new Date(one.due_ms).toISOString() : null} form="ago" />,
      },
      { id: "failures", header: "Failures", width: "80px", align: "right", value: (one) => one.failures },
      {
        id: "rest",
        header: "About",
        width: "minmax(160px, 2fr)",
        value: rest,
        cell: (one) => rest(one) || number(null),
      },
    ],
    [system],
  );
}

export function WaitingTable({
  system,
  query,
  what,
  empty,
}: {
  system: string;
  query: UseQueryResult<List<Waiting>>;
  what: string;
  empty: string;
}) {
  const columns = useColumns(system);
  return (
    <Answer query={query}>
      {(list) => (
        <>
          {list.items.length > 0 ? (
            <Group justify="flex-end" p={4}>
              <CsvButton rows={list.items} columns={columns} file={`${system}-${what}`} />
            </Group>
          ) : null}
          <DataTable
            label={what}
            rows={list.items}
            columns={columns}
            rowKey={(one) => `${one.key} ${one.operation ?? ""}`}
            height={340}
            empty={<Empty title={empty} />}
          />
        </>
      )}
    </Answer>
  );
}

export function DeadLetters({ system, query }: { system: string; query: UseQueryResult<List<Waiting>> }) {
  const { can } = useSession();
  const [doing, setDoing] = useState<"retry" | "drop" | null>(null);
  return (
    <>
      {query.data && query.data.total > 0 ? (
        <Group gap={6} p={8}>
          <Button variant="default" disabled={!can("operator", system)} onClick={() => setDoing("retry")}>
            Send all again
          </Button>
          <Button variant="default" disabled={!can("operator", system)} onClick={() => setDoing("drop")}>
            Drop all
          </Button>
        </Group>
      ) : null}
      <WaitingTable system={system} query={query} what="dead letters" empty="The remote has refused nothing" />
      {doing ? (
        <Act<Undoable>
          opened
          onClose={() => setDoing(null)}
          title={doing === "retry" ? "Send all dead letters again" : "Drop all dead letters"}
          about={doing === "drop" ? "What was edited here is given up; the remote's values stand." : undefined}
          confirm={doing === "retry" ? "Send again" : "Drop"}
          danger={doing === "drop"}
          send={(reason, dry) =>
            api.send(
              doing === "retry"
                ? post("/systems/{system}/dead-letters/retry", { system }, { all: true, reason, dry_run: dry })
                : post("/systems/{system}/dead-letters/drop", { system }, { all: true, reason, dry_run: dry }),
            )
          }
        />
      ) : null}
    </>
  );
}
