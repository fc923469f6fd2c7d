// One playbook: its steps with their rollbacks, its parameters, its runs, and starting it.
import { Anchor, Button, Table, Text, TextInput } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { count, shortId } from "../../parts/format";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { Steps } from "./Steps";
import type { PlaybookDetail } from "./types";

/** The run that began, unless it had not when the answer was due. */
interface Started extends Undoable {
  run: string | null;
}

export function PlaybookPage() {
  const { playbook = "" } = useParams({ strict: false }) as { playbook?: string };
  const query = useApi<PlaybookDetail>(get("/playbooks/{name}", { name: playbook }));
  const { can } = useSession();
  const [starting, setStarting] = useState(false);
  const [given, setGiven] = useState<Record<string, string>>({});
  const front = query.data?.front;
  const parameters = Object.entries(front?.parameters ?? {});
  const lacking = parameters.filter(([name, one]) => one.default === null && !given[name]);
  return (
    <Page
      title={front?.title ?? playbook}
      crumbs={[{ title: "Playbooks", to: "/playbooks" }]}
      about={front?.purpose}
      actions={
        <Button
          leftSection={<IconPlayerPlay size={14} />}
          disabled={!query.data || !can("operator")}
          onClick={() => setStarting(true)}
        >
          Start…
        </Button>
      }
    >
      <Answer query={query}>
        {(data) => (
          <div className="grid">
            <Panel title="Steps" className="w8" flush note={count(data.steps.length, "step")}>
              <Steps steps={data.steps} />
            </Panel>
            <div className="col w4">
              <Panel title="About">
                <Facts
                  facts={[
                    [
                      "State",
                      <Status key="state" word={data.state} tone={data.state === "Draft" ? "idle" : undefined} />,
                    ],
                    ["Owner", data.front.owner],
                    ["Priority", data.front.priority ?? "not said"],
                    ["Target", data.front.target],
                    ["Created", data.front.created],
                    ["Requirements", data.front.requirements.join(", ") || "none"],
                  ]}
                />
              </Panel>
              <Panel title="Runs" flush>
                <Table>
                  <Table.Tbody>
                    {data.runs.map((run) => (
                      <Table.Tr key={run.id}>
                        <Table.Td>
                          <Anchor component={Link} to={href.playbookRun(run.id)} className="mono">
                            {shortId(run.id)}
                          </Anchor>
                        </Table.Td>
                        <Table.Td>
                          <Status word={run.status} />
                        </Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
                {data.runs.length === 0 ? (
                  <Text c="dimmed" p="sm">
                    It was not run yet.
                  </Text>
                ) : null}
              </Panel>
            </div>
          </div>
        )}
      </Answer>
      <Act<Started>
        opened={starting}
        onClose={() => setStarting(false)}
        title={`Start ${front?.title ?? playbook}`}
        about="Each step is on record before it begins; a step that changes data does not begin without a backup made in the same run."
        confirm="Start"
        ready={lacking.length === 0}
        send={(reason) => api.send(post("/playbooks/{name}/start", { name: playbook }, { parameters: given, reason }))}
        leadsTo={(answer) => answer.run && href.playbookRun(answer.run)}
      >
        {parameters.map(([name, one]) => (
          <TextInput
            key={name}
            label={name}
            description={one.help}
            required={one.default === null}
            placeholder={one.default ?? undefined}
            value={given[name] ?? ""}
            onChange={(event) => {
              const text = event.currentTarget.value;
              setGiven((before) => ({ ...before, [name]: text }));
            }}
          />
        ))}
      </Act>
    </Page>
  );
}
