// Answers that are given again: a rule for each field.
import { Button, Group, Select, Table } from "@mantine/core";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, put, remove } from "../../api/request";
import type { ConflictRule, SyncStatus } from "../../api/sync";
import type { Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Time } from "../../parts/Time";
import { useSession } from "../../shell/session";

export function Rules({ system, fields }: { system: string; fields: string[] }) {
  const { can } = useSession();
  const rules = useApi<ConflictRule[]>(get("/systems/{system}/conflict-rules", { system }));
  const sync = useApi<SyncStatus>(get("/systems/{system}/sync", { system }));
  const [field, setField] = useState<string | null>(null);
  const [take, setTake] = useState<"mine" | "theirs">("theirs");
  const [doing, setDoing] = useState<{ field: string; take: "mine" | "theirs" | null } | null>(null);
  const may = can("operator", system);
  return (
    <Panel title="Rules" className="w5" flush note="answers that are given again, field by field">
      <Group gap={6} p={10}>
        <Select
          aria-label="Field"
          placeholder="Field"
          searchable
          data={sync.data?.fields ?? fields}
          value={field}
          onChange={setField}
          w={170}
        />
        <Select
          aria-label="Take"
          data={["mine", "theirs"]}
          value={take}
          onChange={(side) => setTake(side ?? "theirs")}
          w={100}
          allowDeselect={false}
        />
        <Button variant="default" disabled={!may || !field} onClick={() => setDoing({ field: field ?? "", take })}>
          Add rule
        </Button>
      </Group>
      <Answer query={rules}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No rules">Every conflict is asked.</Empty>
          ) : (
            <Table>
              <Table.Tbody>
                {list.map((rule) => (
                  <Table.Tr key={rule.field}>
                    <Table.Td className="mono">{rule.field}</Table.Td>
                    <Table.Td>take {rule.take}</Table.Td>
                    <Table.Td>{rule.author}</Table.Td>
                    <Table.Td>
                      <Time at={rule.created_at} form="ago" />
                    </Table.Td>
                    <Table.Td>
                      <Button
                        size="compact-xs"
                        variant="default"
                        disabled={!may}
                        onClick={() => setDoing({ field: rule.field, take: null })}
                      >
                        Take away
                      </Button>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )
        }
      </Answer>
      {doing ? (
        <Act<Undoable>
          opened
          onClose={() => setDoing(null)}
          title={doing.take ? `Always take ${doing.take} for ${doing.field}` : `No rule for ${doing.field} any more`}
          confirm={doing.take ? "Add rule" : "Take the rule away"}
          send={(reason) => {
            const of = { system, field: doing.field };
            return api.send(
              doing.take
                ? put("/systems/{system}/conflict-rules/{field}", of, { take: doing.take, reason })
                : remove("/systems/{system}/conflict-rules/{field}", of, { reason }),
            );
          }}
        />
      ) : null}
    </Panel>
  );
}
