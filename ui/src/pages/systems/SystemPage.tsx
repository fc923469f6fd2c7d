// One system: its changes, tables, newest runs and the ways into what belongs to it.
import { Anchor, Button, Group, Table, Text } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List, Run, SystemInfo } from "../../api/types";
import { DataTable } from "../../parts/DataTable";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { MakePlan } from "../plans/MakePlan";
import { RUN_COLUMNS } from "../runs/columns";
import { NewestRun } from "../runs/NewestRun";
import { Trials } from "../trials/Trials";

export function SystemPage() {
  const { system: name = "" } = useParams({ strict: false }) as { system?: string };
  const query = useApi<SystemInfo>(get("/systems/{system}", { system: name }), { every: false });
  const runs = useApi<List<Run>>(get("/runs", { system: name, limit: 50 }));
  const navigate = useNavigate();
  const { can } = useSession();
  const [making, setMaking] = useState(false);
  return (
    <Page
      title={name}
      crumbs={[{ title: "Systems", to: "/systems" }]}
      about={query.data?.title}
      actions={
        <>
          {query.data?.link ? (
            <>
              <Button component={Link} to={href.records(name)} variant="default">
                Records
              </Button>
              <Button component={Link} to={href.sync(name)} variant="default">
                Sync
              </Button>
            </>
          ) : null}
          <Button component={Link} to={`/checks?system=${encodeURIComponent(name)}`} variant="default">
            Checks
          </Button>
        </>
      }
    >
      <Answer query={query}>
        {(system) => (
          <div className="grid">
            <Panel
              title="Changes"
              className="w8"
              flush
              actions={
                system.changes.length > 0 ? (
                  <Button variant="default" disabled={!can("operator", name)} onClick={() => setMaking(true)}>
                    Make a plan
                  </Button>
                ) : null
              }
            >
              {system.changes.length === 0 ? (
                <Empty title="No changes to plan">
                  The records of this system change through its link, or through its own pages.
                </Empty>
              ) : (
                <Table>
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Change</Table.Th>
                      <Table.Th>What it does</Table.Th>
                      <Table.Th>Backup first</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {system.changes.map((change) => (
                      <Table.Tr key={change.name}>
                        <Table.Td className="mono">{change.name}</Table.Td>
                        <Table.Td>{change.help}</Table.Td>
                        <Table.Td>{change.needs_backup ? "yes" : "no"}</Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              )}
            </Panel>
            <Panel title="Tables" className="w4" note={system.store}>
              <Group gap={6}>
                {system.tables.map((table) => (
                  <Anchor
                    key={table}
                    component={Link}
                    to={`/history?system=${encodeURIComponent(name)}&table=${encodeURIComponent(table)}`}
                    className="mono"
                  >
                    {table}
                  </Anchor>
                ))}
                {system.tables.length === 0 ? <Text c="dimmed">none</Text> : null}
              </Group>
            </Panel>
            <NewestRun runs={runs.data?.items ?? []} />
            {system.changes.length > 0 ? <Trials system={system} /> : null}
            <Panel title="Newest runs" flush>
              <Answer query={runs}>
                {(list) => (
                  <DataTable
                    label="Runs of the system"
                    rows={list.items}
                    columns={RUN_COLUMNS}
                    rowKey={(run) => run.id}
                    height={340}
                    onOpen={(run) => void navigate({ to: href.run(run.id) })}
                    empty={<Empty title="No runs yet" />}
                  />
                )}
              </Answer>
            </Panel>
            <MakePlan opened={making} onClose={() => setMaking(false)} system={name} />
          </div>
        )}
      </Answer>
    </Page>
  );
}
