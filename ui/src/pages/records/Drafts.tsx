// The caller's drafts: what would be committed, and committing or dropping them.
import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { Decided, Edit } from "../../api/sync";
import type { List } from "../../api/types";
import { Act } from "../../parts/Act";
import { type Column, DataTable } from "../../parts/DataTable";
import { count } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";

const COLUMNS: Column<Edit>[] = [
  {
    id: "key",
    header: "Record",
    width: "150px",
    value: (one) => one.key,
    cell: (one) => <span className="mono">{one.key}</span>,
  },
  {
    id: "state",
    header: "State",
    width: "100px",
    value: (one) => one.state,
    cell: (one) => <Status word={one.state} />,
  },
  {
    id: "fields",
    header: "What it sets",
    width: "minmax(220px, 3fr)",
    value: (one) =>
      one.fields
        ? Object.entries(one.fields)
            .map(([field, value]) => `${field} = ${value === null ? "null" : String(value)}`)
            .join(", ")
        : "deletes the record",
  },
  { id: "author", header: "By", width: "100px", value: (one) => one.author },
  {
    id: "at",
    header: "Changed",
    width: "110px",
    value: (one) => one.changed_at,
    cell: (one) => <Time at={one.changed_at} form="ago" />,
  },
];

export function Drafts({ system }: { system: string }) {
  const query = useApi<List<Edit>>(get("/systems/{system}/drafts", { system }, { limit: 500 }));
  const [open, setOpen] = useState(false);
  const [doing, setDoing] = useState<"commit" | "discard" | null>(null);
  const drafts = query.data;
  if (!drafts || drafts.total === 0) return null;
  return (
    <Panel
      title={`You have ${count(drafts.total, "draft")}`}
      flush
      note="nobody else sees them, and nothing is sent"
      actions={
        <>
          <Button variant="subtle" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Hide" : "Show"}
          </Button>
          <Button variant="default" onClick={() => setDoing("discard")}>
            Discard all…
          </Button>
          <Button onClick={() => setDoing("commit")}>Commit all…</Button>
        </>
      }
    >
      {open ? (
        <DataTable label="Drafts" rows={drafts.items} columns={COLUMNS} rowKey={(one) => one.edit} height={240} />
      ) : (
        <Text c="dimmed" size="xs" px={12} py={6}>
          {drafts.items
            .slice(0, 6)
            .map((one) => one.key)
            .join(", ")}
          {drafts.total > 6 ? " …" : ""}
        </Text>
      )}
      <Act<Decided>
        opened={doing !== null}
        onClose={() => setDoing(null)}
        title={doing === "commit" ? "Commit your drafts" : "Discard your drafts"}
        about={doing === "commit" ? "They become everyone's and are sent to the remote." : "What you wrote is dropped."}
        confirm={doing === "commit" ? "Commit" : "Discard"}
        danger={doing === "discard"}
        basis={String(doing)}
        send={(reason, dry) =>
          api.send(
            doing === "discard"
              ? post("/systems/{system}/drafts/discard", { system }, { all: true, reason, dry_run: dry })
              : post("/systems/{system}/drafts/commit", { system }, { all: true, reason, dry_run: dry }),
          )
        }
        preview={(answer) => (
          <Group gap={6}>
            <Text>{count(answer.done, "draft")} would go through.</Text>
            {answer.items
              .filter((one) => one.problem)
              .map((one) => (
                <Text key={one.key} size="xs">
                  {one.key}: {one.problem}
                </Text>
              ))}
          </Group>
        )}
      />
    </Panel>
  );
}
