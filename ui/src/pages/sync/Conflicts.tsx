// The inbox of conflicts: what both sides changed, field by field, decided one by one, many at once, or by a rule.
import { Button, Checkbox, Group, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { Conflict } from "../../api/sync";
import type { List, SystemInfo } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Choice, Find } from "../../parts/Filters";
import { count } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { useSession } from "../../shell/session";
import { Bulk } from "./Bulk";
import { Resolve } from "./Resolve";
import { Rules } from "./Rules";

export function Conflicts() {
  const { system: named } = useParams({ strict: false }) as { system?: string };
  const systems = useApi<SystemInfo[]>(get("/systems"), { every: false });
  const linked = (systems.data ?? []).filter((one) => one.link).map((one) => one.name);
  const system = named ?? linked[0];
  return (
    <Page
      title={system ? `Conflicts of ${system}` : "Conflicts"}
      crumbs={[{ title: "Sync", to: "/sync" }]}
      about="An edit that both sides made. Nothing is overwritten until somebody decides, and the losing value can be brought back."
    >
      {system ? (
        <Inbox key={system} system={system} />
      ) : (
        <Answer query={systems}>{() => <Empty title="No system is linked with a remote" />}</Answer>
      )}
    </Page>
  );
}

function Inbox({ system }: { system: string }) {
  const [search, setSearch] = useFilters();
  const { can } = useSession();
  const all = search.all === "true";
  const query = useApi<List<Conflict>>(
    get("/systems/{system}/conflicts", { system }, { all: all || undefined, limit: 1000 }),
    { every: 5 },
  );
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [bulk, setBulk] = useState<"mine" | "theirs" | null>(null);
  const items = query.data?.items ?? [];
  const shown = items.filter(
    (one) =>
      (!search.field || search.field in one.fields) &&
      (!search.find || one.key.toLowerCase().includes(search.find.toLowerCase())),
  );
  const open = shown.find((one) => one.key === search.record) ?? shown.find((one) => !one.closed_at) ?? shown[0];
  const may = can("operator", system);
  const columns = useMemo<Column<Conflict>[]>(
    () => [
      {
        id: "pick",
        header: "",
        width: "38px",
        sortable: false,
        value: () => null,
        cell: (one) =>
          one.closed_at ? null : (
            <Checkbox
              aria-label={`Choose ${one.key}`}
              checked={picked.has(one.key)}
              onChange={() =>
                setPicked((before) => {
                  const after = new Set(before);
                  if (!after.delete(one.key)) after.add(one.key);
                  return after;
                })
              }
            />
          ),
      },
      {
        id: "key",
        header: "Record",
        width: "minmax(140px, 1fr)",
        value: (one) => one.key,
        cell: (one) => <span className="mono">{one.key}</span>,
      },
      {
        id: "fields",
        header: "Fields",
        width: "minmax(90px, 1fr)",
        value: (one) => Object.keys(one.fields).join(", ") || one.kind,
      },
      {
        id: "state",
        header: "State",
        width: "90px",
        value: (one) => (one.closed_at ? "decided" : "open"),
        cell: (one) => (
          <Status word={one.closed_at ? "resolved" : "conflict"} label={one.closed_at ? "decided" : "open"} />
        ),
      },
      {
        id: "at",
        header: "Since",
        width: "90px",
        value: (one) => one.opened_at,
        cell: (one) => <Time at={one.opened_at} form="ago" />,
      },
    ],
    [picked],
  );
  const chosen = items.filter((one) => picked.has(one.key) && !one.closed_at);
  const fields = [...new Set(items.flatMap((one) => Object.keys(one.fields)))].sort();
  return (
    <div className="grid">
      <Panel
        title="Inbox"
        className="w5"
        flush
        note={query.data ? count(shown.length, "conflict") : null}
        actions={
          <>
            <Checkbox
              label="decided too"
              checked={all}
              onChange={(event) => setSearch({ all: event.currentTarget.checked ? "true" : undefined })}
            />
            <Choice
              label="Field"
              width={120}
              value={search.field}
              onChange={(field) => setSearch({ field })}
              options={fields}
            />
            <Find label="Record" width={130} value={search.find} onChange={(find) => setSearch({ find })} />
            <CsvButton rows={shown} columns={columns.slice(1)} file={`${system}-conflicts`} />
          </>
        }
      >
        <Group gap={8} px={10} py={6} style={{ borderBottom: "1px solid var(--pl-line)" }}>
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() =>
              setPicked(
                chosen.length > 0 ? new Set() : new Set(shown.filter((one) => !one.closed_at).map((one) => one.key)),
              )
            }
          >
            {chosen.length > 0 ? "Choose none" : "Choose all"}
          </Button>
          <Text c="dimmed" size="xs">
            {count(chosen.length, "conflict")} chosen
          </Text>
          <Button
            size="compact-xs"
            variant="default"
            ml="auto"
            disabled={!may || chosen.length === 0}
            onClick={() => setBulk("mine")}
          >
            Take mine for all
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            disabled={!may || chosen.length === 0}
            onClick={() => setBulk("theirs")}
          >
            Take theirs for all
          </Button>
        </Group>
        <Answer query={query}>
          {() => (
            <DataTable
              label="Conflicts"
              rows={shown}
              columns={columns}
              rowKey={(one) => one.key}
              current={open?.key ?? null}
              onOpen={(one) => setSearch({ record: one.key })}
              height={520}
              empty={<Empty title="No conflicts">Both sides agree, or each changed something else.</Empty>}
            />
          )}
        </Answer>
      </Panel>
      {open ? <Resolve key={`${open.key} ${open.revision}`} system={system} conflict={open} /> : null}
      <Rules system={system} fields={fields} />
      {bulk ? (
        <Bulk
          system={system}
          take={bulk}
          conflicts={chosen}
          onClose={() => setBulk(null)}
          onDone={() => setPicked(new Set())}
        />
      ) : null}
    </div>
  );
}
