// One gate: the verdict, what blocks it, the shortest path to GO, its score, and every piece of evidence; made for print too.
import { Button, Group, Progress, Table, Text } from "@mantine/core";
import { IconPrinter } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import { Act } from "../../parts/Act";
import { count, measured, number } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useSession } from "../../shell/session";
import type { Blocker, Evaluated, GateDetail, Judged, Judgement, Readiness } from "./types";

export function GatePage() {
  const { gate = "" } = useParams({ strict: false }) as { gate?: string };
  const query = useApi<GateDetail>(get("/gates/{gate}", { gate }));
  const { can } = useSession();
  const [asking, setAsking] = useState(false);
  const [fresh, setFresh] = useState<Judgement | null>(null);
  const judgement = fresh ?? query.data?.judgement ?? null;
  return (
    <Page
      title={query.data?.gate.title ?? gate}
      crumbs={[{ title: "Gates", to: "/gates" }]}
      about={
        <Group gap={10}>
          <Status word={judgement?.verdict ?? "unknown"} label={judgement?.verdict ?? "never asked"} />
          <span className="mono">{gate}</span>
          {judgement ? <Time at={judgement.at} /> : null}
        </Group>
      }
      actions={
        <>
          <Button variant="default" leftSection={<IconPrinter size={14} />} onClick={() => window.print()}>
            Print
          </Button>
          <Button disabled={!can("operator")} onClick={() => setAsking(true)}>
            Ask the evidence
          </Button>
        </>
      }
    >
      <Answer query={query}>{(data) => (judgement ? <Verdict judgement={judgement} /> : <Asked gate={data} />)}</Answer>
      <Act<Evaluated>
        opened={asking}
        onClose={() => setAsking(false)}
        title="Ask the evidence"
        about="Every piece of evidence is read, judged, and the verdict kept with all its readings."
        confirm="Ask"
        send={(reason) => api.send(post("/gates/{gate}/evaluate", { gate }, { reason }))}
        onDone={(answer) => setFresh(answer.judgement)}
      />
    </Page>
  );
}

function Verdict({ judgement }: { judgement: Judgement }) {
  return (
    <div className="grid">
      {judgement.readiness ? <Score readiness={judgement.readiness} /> : null}
      <Reasons
        title="What blocks it"
        className={judgement.readiness ? "w8" : undefined}
        blockers={judgement.blockers}
        empty="Nothing blocks it"
      />
      <Reasons title="Shortest path to GO" blockers={judgement.path} empty="Nothing is left to do" />
      <Criteria criteria={judgement.criteria} />
    </div>
  );
}

function Score({ readiness }: { readiness: Readiness }) {
  return (
    <Panel
      title="Readiness"
      className="w4"
      note={
        readiness.change ? `${readiness.change > 0 ? "+" : ""}${number(readiness.change)} since the baseline` : null
      }
    >
      <Text fz={28} fw={650} className="num">
        {number(readiness.score)}
        <Text span c="dimmed">
          {" "}
          / 100, at most {number(readiness.at_most)} with what is known
        </Text>
      </Text>
      {readiness.categories.map((one) => (
        <div key={one.name} style={{ marginTop: 8 }}>
          <Group justify="space-between" gap={8}>
            <Text>
              {one.name}{" "}
              <Text span c="dimmed">
                ({number(one.weight_percent)} %)
              </Text>
            </Text>
            <Text className="num">{number(one.score)}</Text>
          </Group>
          <Progress value={one.score} size="xs" aria-label={`Readiness of ${one.name}`} />
        </div>
      ))}
    </Panel>
  );
}

function Reasons({
  title,
  blockers,
  empty,
  className,
}: {
  title: string;
  blockers: Blocker[];
  empty: string;
  className?: string;
}) {
  return (
    <Panel title={title} className={className} flush note={blockers.length ? count(blockers.length, "item") : null}>
      {blockers.length === 0 ? (
        <Empty title={empty} />
      ) : (
        <Table.ScrollContainer minWidth={480}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>What</Table.Th>
                <Table.Th>Found</Table.Th>
                <Table.Th ta="right">Adds</Table.Th>
                <Table.Th>What to do</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {blockers.map((one) => (
                <Table.Tr key={`${one.criterion} ${one.says}`}>
                  <Table.Td>
                    <Status word={one.standing} label={one.text} tone="bad" />
                  </Table.Td>
                  <Table.Td>{one.says}</Table.Td>
                  <Table.Td ta="right" className="num">
                    {one.adds ? `+${number(one.adds)}` : ""}
                  </Table.Td>
                  <Table.Td>{one.hint}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Panel>
  );
}

function Criteria({ criteria }: { criteria: Judged[] }) {
  return (
    <Panel title="Criteria and evidence" flush note={count(criteria.length, "criterion", "criteria")}>
      <Table.ScrollContainer minWidth={640}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Criterion</Table.Th>
              <Table.Th>Answer</Table.Th>
              <Table.Th>Evidence</Table.Th>
              <Table.Th>Says</Table.Th>
              <Table.Th>Measured</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {criteria.map((one) =>
              one.evidence.map((evidence, position) => (
                <Table.Tr key={`${one.id} ${evidence.query}`}>
                  <Table.Td>
                    {position === 0 ? one.text : ""}
                    {position === 0 && !one.required ? (
                      <Text span c="dimmed">
                        {" "}
                        (advice)
                      </Text>
                    ) : null}
                  </Table.Td>
                  <Table.Td>
                    {position === 0 ? (
                      <Status
                        word={one.answer}
                        tone={one.answer === "YES" ? "good" : one.answer === "NO" ? "bad" : "idle"}
                      />
                    ) : null}
                  </Table.Td>
                  <Table.Td className="mono">{evidence.query}</Table.Td>
                  <Table.Td>
                    {evidence.says}
                    {evidence.missing_sample ? `; ${number(evidence.missing_sample)} more are needed` : ""}
                  </Table.Td>
                  <Table.Td>{measured(evidence.value)}</Table.Td>
                </Table.Tr>
              )),
            )}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Panel>
  );
}

function Asked({ gate }: { gate: GateDetail }) {
  const criteria = gate.gate.criterion;
  return (
    <Panel title="What it asks" flush note={count(criteria.length, "criterion", "criteria")}>
      <Table.ScrollContainer minWidth={480}>
        <Table>
          <Table.Tbody>
            {criteria.map((one) => (
              <Table.Tr key={one.id}>
                <Table.Td>{one.text}</Table.Td>
                <Table.Td>{one.required ? "required" : "advice"}</Table.Td>
                <Table.Td>{one.evidence.map((evidence) => `${evidence.kind} ${evidence.rule}`).join("; ")}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {criteria.length === 0 ? <Empty title="Nobody has asked this gate yet" /> : null}
    </Panel>
  );
}
