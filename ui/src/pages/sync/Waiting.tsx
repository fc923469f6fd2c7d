// Queue, limbo and dead letters of a link, and what can be done with a dead letter.
import { Anchor, Button, Group } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api } from "../../api/client";
import { post } from "../../api/request";
import type { Decided, Queued, WaitingOperation } from "../../api/sync";
import type { List } from "../../api/types";
import { Act } from "../../parts/Act";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { NOTHING } from "../../parts/format";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";

function recordColumn<T extends { key: string }>(system: string): Column<T> {
  return {
    id: "key",
    header: "Record",
    width: "minmax(150px, 1fr)",
    value: (one) => one.key,
    cell: (one) => (
      <Anchor component={Link} to={href.record(system, one.key)} className="mono">
        {one.key}
      </Anchor>
    ),
  };
}

/** Who has it, and which request it came from. */
function aboutQueued({ worker, request }: Queued): string {
  return [worker && `worker ${worker}`, request && `request ${request}`].filter(Boolean).join(" · ");
}

function queueColumns(system: string): Column<Queued>[] {
  return [
    recordColumn(system),
    { id: "scope", header: "Scope", width: "100px", value: (one) => one.scope },
    {
      id: "state",
      header: "State",
      width: "110px",
      value: (one) => one.state,
      cell: (one) => <Status word={one.state} />,
    },
    {
      id: "due",
      header: "Due",
      width: "110px",
      value: (one) => one.due_ms,
      cell: (one) => <Time at={new Date(one.due_ms).toISOString()} form="ago" />,
    },
    { id: "failures", header: "Failures", width: "80px", align: "right", value: (one) => one.failures },
    {
      id: "rest",
      header: "About",
      width: "minmax(160px, 2fr)",
      value: aboutQueued,
      cell: (one) => aboutQueued(one) || NOTHING,
    },
  ];
}

/** What it writes, in words. */
function writes({ fields }: WaitingOperation): string {
  if (!fields) return "deletes the record";
  return Object.entries(fields)
    .map(([name, value]) => `${name} = ${String(value)}`)
    .join(", ");
}

function operationColumns(system: string): Column<WaitingOperation>[] {
  return [
    recordColumn(system),
    {
      id: "state",
      header: "State",
      width: "110px",
      value: (one) => one.state,
      cell: (one) => <Status word={one.state} />,
    },
    { id: "attempts", header: "Attempts", width: "80px", align: "right", value: (one) => one.attempts },
    { id: "writes", header: "What it writes", width: "minmax(160px, 2fr)", value: writes },
    { id: "reason", header: "Reason", width: "minmax(160px, 2fr)", value: (one) => one.reason ?? NOTHING },
    {
      id: "by",
      header: "By",
      width: "100px",
      value: (one) => [...new Set(one.edits.map((edit) => edit.author))].join(", "),
    },
  ];
}

function Waiting<T>({
  system,
  query,
  columns,
  rowKey,
  what,
  empty,
}: {
  system: string;
  query: UseQueryResult<List<T>>;
  columns: Column<T>[];
  rowKey: (one: T) => string;
  what: string;
  empty: string;
}) {
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
            rowKey={rowKey}
            height={340}
            empty={<Empty title={empty} />}
          />
        </>
      )}
    </Answer>
  );
}

export function Queue({ system, query }: { system: string; query: UseQueryResult<List<Queued>> }) {
  const columns = useMemo(() => queueColumns(system), [system]);
  return (
    <Waiting
      system={system}
      query={query}
      columns={columns}
      rowKey={(one) => one.key}
      what="queue"
      empty="Nothing waits to be sent"
    />
  );
}

interface OfOperations {
  system: string;
  query: UseQueryResult<List<WaitingOperation>>;
}

function Operations({ system, query, what, empty }: OfOperations & { what: string; empty: string }) {
  const columns = useMemo(() => operationColumns(system), [system]);
  return (
    <Waiting
      system={system}
      query={query}
      columns={columns}
      rowKey={(one) => `${one.key} ${one.operation}`}
      what={what}
      empty={empty}
    />
  );
}

export function Limbo({ system, query }: OfOperations) {
  return <Operations system={system} query={query} what="limbo" empty="No write has an unknown outcome" />;
}

export function DeadLetters({ system, query }: OfOperations) {
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
      <Operations system={system} query={query} what="dead letters" empty="The remote has refused nothing" />
      {doing ? (
        <Act<Decided>
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
