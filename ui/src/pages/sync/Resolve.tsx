// One conflict: base, mine and theirs of each field, and the choice for each.
import { Anchor, Button, Checkbox, Group, SegmentedControl, Table, Text, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { post } from "../../api/request";
import type { Conflict, Fields, Plain } from "../../api/sync";
import type { Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { Cell } from "../../parts/Diff";
import { Panel } from "../../parts/Page";
import { Empty } from "../../parts/States";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";

type Side = "mine" | "theirs" | "value";
export interface Choice {
  side: Side;
  value: string;
}

/** What is sent for the fields: a side by name, or a value of one's own. */
export function answerOf(choices: Record<string, Choice>): Record<string, "mine" | "theirs" | { value: Plain }> {
  return Object.fromEntries(
    Object.entries(choices).map(([field, choice]) => [
      field,
      choice.side === "value" ? { value: choice.value === "" ? null : choice.value } : choice.side,
    ]),
  );
}

interface Resolved extends Undoable {
  key: string;
  revision: number;
  /** Null for a record that is deleted. */
  becomes: Fields | null;
}

export function Resolve({ system, conflict }: { system: string; conflict: Conflict }) {
  const { can } = useSession();
  const fields = Object.entries(conflict.fields);
  const [choices, setChoices] = useState<Record<string, Choice>>(() =>
    Object.fromEntries(fields.map(([field]) => [field, { side: "mine", value: "" } satisfies Choice])),
  );
  const [remember, setRemember] = useState(false);
  const [asking, setAsking] = useState(false);
  const [undoing, setUndoing] = useState(false);
  const over = conflict.closed_at !== null;
  const may = can("operator", system);
  const set = (field: string, choice: Partial<Choice>) =>
    setChoices((before) => ({ ...before, [field]: { ...(before[field] ?? { side: "mine", value: "" }), ...choice } }));
  return (
    <Panel
      title={conflict.key}
      className="w7"
      flush
      note={
        <>
          {conflict.kind.replaceAll("_", " ")}
          {conflict.rule ? `: ${conflict.rule}` : ""} · revision {conflict.revision} · since{" "}
          <Time at={conflict.opened_at} form="ago" />
        </>
      }
      actions={
        <Anchor component={Link} to={href.record(system, conflict.key)}>
          Record and history
        </Anchor>
      }
    >
      <Table.ScrollContainer minWidth={560}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Field</Table.Th>
              <Table.Th>Base</Table.Th>
              <Table.Th>Mine</Table.Th>
              <Table.Th>Theirs</Table.Th>
              <Table.Th>{over ? "" : "Take"}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {fields.map(([field, values]) => {
              const choice = choices[field] ?? { side: "mine", value: "" };
              const mark = (side: Side) => (!over && choice.side === side ? "var(--pl-added)" : undefined);
              return (
                <Table.Tr key={field}>
                  <Table.Th scope="row" className="mono">
                    {field}
                  </Table.Th>
                  <Table.Td>
                    <Cell value={values.base} />
                  </Table.Td>
                  <Table.Td style={{ background: mark("mine") }}>
                    <Cell value={values.mine} />
                  </Table.Td>
                  <Table.Td style={{ background: mark("theirs") }}>
                    <Cell value={values.theirs} />
                  </Table.Td>
                  <Table.Td>
                    {over ? null : (
                      <Group gap={6} wrap="nowrap">
                        <SegmentedControl
                          aria-label={`Take for ${field}`}
                          value={choice.side}
                          onChange={(side) => set(field, { side: side as Side })}
                          data={[
                            { value: "mine", label: "Mine" },
                            { value: "theirs", label: "Theirs" },
                            { value: "value", label: "Other" },
                          ]}
                        />
                        {choice.side === "value" ? (
                          <TextInput
                            aria-label={`Value for ${field}`}
                            value={choice.value}
                            onChange={(event) => set(field, { value: event.currentTarget.value })}
                            w={120}
                          />
                        ) : null}
                      </Group>
                    )}
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {fields.length === 0 ? (
        <Empty title="One side deletes the record">Mine keeps what was done here, theirs what the remote did.</Empty>
      ) : null}
      <Group gap={8} p="sm" justify="flex-end">
        {over ? (
          <>
            <Text c="dimmed" style={{ flex: 1 }}>
              Decided by {conflict.closed_by}, <Time at={conflict.closed_at} form="ago" />
            </Text>
            <Button variant="default" disabled={!may} onClick={() => setUndoing(true)}>
              Bring the losing value back
            </Button>
          </>
        ) : (
          <>
            <Checkbox
              label="Answer these fields the same way from now on"
              checked={remember}
              onChange={(event) => setRemember(event.currentTarget.checked)}
              mr="auto"
            />
            <Button disabled={!may} onClick={() => setAsking(true)}>
              Decide…
            </Button>
          </>
        )}
      </Group>
      <Act<Resolved>
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Decide ${conflict.key}`}
        about="The answer is compared with what you were shown; if the remote has moved since, you are asked again."
        confirm="Decide"
        basis={JSON.stringify(choices)}
        send={(reason, dry) => {
          const sides = new Set(Object.values(choices).map((choice) => choice.side));
          const [only] = [...sides];
          const whole = fields.length === 0 ? "mine" : sides.size === 1 && only !== "value" ? only : undefined;
          return api.send(
            post(
              "/systems/{system}/conflicts/{key}/resolve",
              { system, key: conflict.key },
              {
                ...(whole ? { take: whole } : { fields: answerOf(choices) }),
                revision: conflict.revision,
                remember,
                reason,
                dry_run: dry,
              },
            ),
          );
        }}
        preview={(answer) => (
          <Text>
            The record becomes{" "}
            {fields.map(([field]) => `${field} = ${String(answer.becomes?.[field] ?? "null")}`).join(", ") ||
              (answer.becomes ? "what it was here" : "deleted")}
            .
          </Text>
        )}
      />
      <Act<Undoable>
        opened={undoing}
        onClose={() => setUndoing(false)}
        title="Bring the losing value back"
        about="What the answer gave up is edited again."
        confirm="Bring back"
        send={(reason, dry) =>
          api.send(
            post(
              "/systems/{system}/conflicts/{key}/undo",
              { system, key: conflict.key },
              { revision: conflict.revision, reason, dry_run: dry },
            ),
          )
        }
      />
    </Panel>
  );
}
