// One link: how far it is, what waits for whom, and what happens, as it happens.
import { Button, Group, Table, Tabs, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { LinkStatus, Queued, SyncStatus, WaitingOperation } from "../../api/sync";
import type { List, Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { duration, number } from "../../parts/format";
import { type Figure, Page, Panel, Stats } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { Happening } from "./Happening";
import { DeadLetters, Limbo, Queue } from "./Waiting";

/** What a round would find. */
interface Rehearsed extends Undoable {
  dry_run: true;
  due: number;
  status: LinkStatus;
}

/** A round that ended in time, or goes on; what came of it is with the status of the link. */
interface Gone extends Undoable {
  dry_run: false;
}

export function linkFigures(sync: SyncStatus): Figure[] {
  const { status } = sync;
  // Nothing was settled lately: then there is no figure, and none is made up.
  const [middle, most] = status.settled_ms ?? [null, null];
  return [
    { label: "Mirrored", value: number(status.mirrored), to: href.records(sync.system) },
    { label: "To send", value: number(status.due), hint: "edits that are due now" },
    { label: "Oldest waits", value: status.due > 0 ? duration(status.oldest_ms) : "none" },
    { label: "Drafts", value: number(status.edits.draft ?? 0) },
    { label: "In limbo", value: number(status.edits.limbo ?? 0), hint: "sent, with no known outcome" },
    { label: "Conflicts", value: number(status.conflicts), to: href.conflicts(sync.system) },
    { label: "Refused", value: number(status.edits.failed ?? 0), hint: "dead letters" },
    {
      label: "Edit to agreed",
      value: middle === null ? "none yet" : duration(middle),
      hint: most === null ? undefined : `slowest ${duration(most)}`,
    },
  ];
}

export function SyncPage() {
  const { system = "" } = useParams({ strict: false }) as { system?: string };
  const [search, setSearch] = useFilters();
  const { can } = useSession();
  const [going, setGoing] = useState(false);
  const sync = useApi<SyncStatus>(get("/systems/{system}/sync", { system }), { every: 5 });
  const queue = useApi<List<Queued>>(get("/systems/{system}/queue", { system }, { limit: 500 }));
  const limbo = useApi<List<WaitingOperation>>(get("/systems/{system}/limbo", { system }, { limit: 500 }));
  const dead = useApi<List<WaitingOperation>>(get("/systems/{system}/dead-letters", { system }, { limit: 500 }));
  const tab = search.tab ?? "queue";
  return (
    <Page
      title={`Sync of ${system}`}
      crumbs={[{ title: "Sync", to: "/sync" }]}
      about={
        sync.data ? (
          <Group gap={10}>
            <Status
              word={sync.data.remote_known ? "ok" : "waiting"}
              label={sync.data.remote_known ? "this server sends" : "no remote is known here; a worker elsewhere sends"}
            />
            <span>link {sync.data.link}</span>
          </Group>
        ) : null
      }
      actions={
        <>
          <Button component={Link} to={href.conflicts(system)} variant="default">
            Conflicts
          </Button>
          <Button component={Link} to={href.records(system)} variant="default">
            Records
          </Button>
          <Button
            leftSection={<IconRefresh size={14} />}
            disabled={!can("operator", system) || !sync.data?.remote_known}
            onClick={() => setGoing(true)}
          >
            Sync now
          </Button>
        </>
      }
    >
      <Answer query={sync}>
        {(data) => (
          <>
            <Stats figures={linkFigures(data)} />
            <div className="grid">
              <Panel title="What waits" flush className="w8">
                <Tabs value={tab} onChange={(to) => setSearch({ tab: to ?? undefined })} keepMounted={false}>
                  <Tabs.List>
                    <Tabs.Tab value="queue">Queue {queue.data ? `(${queue.data.total})` : ""}</Tabs.Tab>
                    <Tabs.Tab value="limbo">Limbo {limbo.data ? `(${limbo.data.total})` : ""}</Tabs.Tab>
                    <Tabs.Tab value="dead">Dead letters {dead.data ? `(${dead.data.total})` : ""}</Tabs.Tab>
                  </Tabs.List>
                  <Tabs.Panel value="queue">
                    <Queue system={system} query={queue} />
                  </Tabs.Panel>
                  <Tabs.Panel value="limbo">
                    <Limbo system={system} query={limbo} />
                  </Tabs.Panel>
                  <Tabs.Panel value="dead">
                    <DeadLetters system={system} query={dead} />
                  </Tabs.Panel>
                </Tabs>
              </Panel>
              <Happening system={system} />
              <Pulls sync={data} />
              <Outcomes sync={data} />
            </div>
            <Act<Rehearsed | Gone>
              opened={going}
              onClose={() => setGoing(false)}
              title={`Sync ${system} now`}
              about="Pulls what changed at the remote and sends what is due. One round runs at a time, for five minutes at most."
              confirm="Sync now"
              send={(reason, dry) => api.send(post("/systems/{system}/sync", { system }, { reason, dry_run: dry }))}
              preview={(answer) => ("due" in answer ? <Text>{number(answer.due)} edits are due.</Text> : null)}
            />
          </>
        )}
      </Answer>
    </Page>
  );
}

function Pulls({ sync }: { sync: SyncStatus }) {
  return (
    <Panel title="Pulls" className="w6" flush note={`by ${sync.scope_field}`}>
      <Table.ScrollContainer minWidth={420}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{sync.scope_field}</Table.Th>
              <Table.Th>Changes pulled</Table.Th>
              <Table.Th>Complete pull</Table.Th>
              <Table.Th>Drift</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sync.status.pulls.map((pull) => (
              <Table.Tr key={pull.scope}>
                <Table.Td className="mono">{pull.scope}</Table.Td>
                <Table.Td>
                  <Time at={pull.changed_at} form="ago" />
                </Table.Td>
                <Table.Td>{pull.complete_at ? <Time at={pull.complete_at} form="ago" /> : "never"}</Table.Td>
                <Table.Td>{drift(pull.drift)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Panel>
  );
}

/** What the remote's fields lack or have in addition, as words. */
export function drift(text: string | null): string {
  if (!text) return "not looked at";
  try {
    const { missing = [], unknown = [] } = JSON.parse(text) as { missing?: string[]; unknown?: string[] };
    const parts = [
      missing.length ? `missing ${missing.join(", ")}` : "",
      unknown.length ? `unknown ${unknown.join(", ")}` : "",
    ];
    return parts.filter(Boolean).join("; ") || "none";
  } catch {
    return text;
  }
}

function Outcomes({ sync }: { sync: SyncStatus }) {
  const work = Object.entries(sync.status.work);
  const edits = Object.entries(sync.status.edits);
  return (
    <Panel title="Outcomes" className="w6">
      <Group gap="xl" align="flex-start">
        {[["Edits by state", edits] as const, ["Writes so far", work] as const].map(([title, entries]) => (
          <div key={title}>
            <Text size="xs" c="dimmed" mb={4}>
              {title}
            </Text>
            {entries.map(([name, value]) => (
              <Group key={name} gap={10} justify="space-between" miw={150}>
                {title === "Edits by state" ? <Status word={name} /> : <Text>{name.replaceAll("_", " ")}</Text>}
                <Text className="num">{number(value)}</Text>
              </Group>
            ))}
          </div>
        ))}
      </Group>
    </Panel>
  );
}
