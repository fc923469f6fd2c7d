// One record: base, mine and theirs side by side, what is on its way, and its history with the way back.
import { Anchor, Button, Group, Table, Text } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { Fields, RecordDetail, RecordVersions } from "../../api/sync";
import type { Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { Cell } from "../../parts/Diff";
import { detailText } from "../../parts/format";
import { Callout, Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { EditRecord } from "./EditRecord";

export function RecordPage() {
  const { system = "", key = "" } = useParams({ strict: false }) as { system?: string; key?: string };
  const query = useApi<RecordDetail>(get("/systems/{system}/records/{key}", { system, key }));
  const { can } = useSession();
  const [editing, setEditing] = useState(false);
  const record = query.data;
  const now = record?.mine ?? record?.theirs;
  return (
    <Page
      title={key}
      crumbs={[
        { title: "Sync", to: "/sync" },
        { title: `Records of ${system}`, to: href.records(system) },
      ]}
      about={
        record ? (
          <Group gap={10}>
            <Status word={record.state} />
            <span>{record.scope}</span>
            <span>version {record.version}</span>
          </Group>
        ) : null
      }
      actions={
        <Button disabled={!now || !can("operator", system)} onClick={() => setEditing(true)}>
          Edit
        </Button>
      }
    >
      <Answer query={query}>
        {(data) => (
          <div className="grid">
            {data.conflict ? (
              <Callout tone="bad" title="Both sides changed this record">
                <Group gap={10}>
                  <Text>{Object.keys(data.conflict.fields).join(", ") || data.conflict.kind}</Text>
                  <Anchor component={Link} to={`${href.conflicts(system)}?record=${encodeURIComponent(key)}`}>
                    Decide it in the inbox
                  </Anchor>
                </Group>
              </Callout>
            ) : null}
            <Sides record={data} />
            <Versions system={system} record={data} />
            <EditRecord
              system={system}
              record={editing && now ? { key, scope: data.scope, state: data.state, fields: now } : null}
              fields={Object.keys(now ?? {})}
              onClose={() => setEditing(false)}
            />
          </div>
        )}
      </Answer>
    </Page>
  );
}

function Sides({ record }: { record: RecordDetail }) {
  const names = Object.keys(record.mine ?? record.theirs ?? record.base ?? {});
  const onItsWay = record.sending ?? record.pending;
  return (
    <Panel
      title="Both sides"
      flush
      className="w7"
      note={
        onItsWay ? <Status word={onItsWay.state} label={`an edit is ${onItsWay.state}`} /> : "nothing is on its way"
      }
    >
      <Table.ScrollContainer minWidth={520}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Field</Table.Th>
              <Table.Th>Base{record.base_version === null ? "" : ` (${record.base_version})`}</Table.Th>
              <Table.Th>Mine</Table.Th>
              <Table.Th>Theirs{record.theirs_version === null ? "" : ` (${record.theirs_version})`}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {names.map((name) => {
              const differs =
                record.differs.includes(name) || (record.conflict ? name in record.conflict.fields : false);
              return (
                <Table.Tr key={name}>
                  <Table.Th scope="row">{name.replaceAll("_", " ")}</Table.Th>
                  <Table.Td>
                    <Cell value={record.base?.[name]} />
                  </Table.Td>
                  <Table.Td style={differs ? { background: "var(--pl-added)" } : undefined}>
                    <Cell value={record.mine?.[name]} />
                  </Table.Td>
                  <Table.Td style={differs ? { background: "var(--pl-removed)" } : undefined}>
                    <Cell value={record.theirs?.[name]} />
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Panel>
  );
}

/** What going back to a version sets. */
interface Restored extends Undoable {
  key: string;
  version: number;
  edit: string | null;
  fields: Fields;
}

function Versions({ system, record }: { system: string; record: RecordDetail }) {
  const query = useApi<RecordVersions>(get("/systems/{system}/records/{key}/versions", { system, key: record.key }));
  const { can } = useSession();
  const [back, setBack] = useState<number | null>(null);
  return (
    <Panel title="History" className="w5" note="kept as differences; any version can be restored">
      <Answer query={query}>
        {(data) => (
          <>
            {data.steps.length === 0 ? <Empty title="Nobody has changed this record here" /> : null}
            {[...data.steps].reverse().map((step) => (
              <div key={step.version} style={{ borderBottom: "1px solid var(--pl-line)", padding: "6px 0" }}>
                <Group justify="space-between" gap={8}>
                  <Text>
                    <b>version {step.version}</b> {step.because} by {step.actor}
                  </Text>
                  <Button
                    size="compact-xs"
                    variant="default"
                    disabled={!can("operator", system)}
                    onClick={() => setBack(step.version - 1)}
                  >
                    Restore what was before
                  </Button>
                </Group>
                <Text size="xs" c="dimmed">
                  <Time at={step.at} />
                </Text>
                {!step.is_there ? <Text>deleted</Text> : null}
                {Object.entries(step.fields).map(([field, value]) => (
                  <Text key={field} style={{ overflowWrap: "anywhere" }}>
                    {field.replaceAll("_", " ")}: <Cell value={value.before} /> → <Cell value={value.after} />
                  </Text>
                ))}
              </div>
            ))}
            {data.happenings.length > 0 ? (
              <>
                <Text size="xs" c="dimmed" mt="sm">
                  What happened
                </Text>
                {[...data.happenings].reverse().map((one) => (
                  <Text key={`${one.at} ${one.kind} ${detailText(one.detail)}`} size="xs">
                    <Time at={one.at} form="full" /> · {one.kind.replaceAll("_", " ")} · {one.actor}{" "}
                    {detailText(one.detail)}
                  </Text>
                ))}
              </>
            ) : null}
            {back !== null ? (
              <Act<Restored>
                opened
                onClose={() => setBack(null)}
                title={`Restore version ${back}`}
                about="The record goes back as an edit of yours, which is sent like any other and can be taken back."
                confirm="Restore"
                basis={String(back)}
                send={(reason, dry) =>
                  api.send(
                    post(
                      "/systems/{system}/records/{key}/restore",
                      { system, key: record.key },
                      { version: back, reason, dry_run: dry },
                    ),
                  )
                }
                preview={(answer) => <pre className="plain">{JSON.stringify(answer, null, 2)}</pre>}
              />
            ) : null}
          </>
        )}
      </Answer>
    </Panel>
  );
}
