// One quarantined item: why it was refused, its source record to repair, and the rows that it would have written.
import { Anchor, Button, Group, Text, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { Quarantined, Refusal, RowChange, RunReport, Undoable } from "../../api/types";
import { Act, Problem } from "../../parts/Act";
import { RowDiff } from "../../parts/Diff";
import { shortId } from "../../parts/format";
import { Callout, Page, Panel } from "../../parts/Page";
import { Scroll } from "../../parts/Scroll";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";

/** What a try of the record says. */
interface Tried {
  ok: boolean;
  changes: RowChange[];
  refusal: Refusal | null;
  problems: string[];
}

/** A repair and a discard answer with the item, a replay with what became of it. */
type Settled = (Quarantined & Undoable) | Replayed;

interface Replayed extends Undoable {
  item: Quarantined;
  report: RunReport;
}

export function QuarantinedPage() {
  const { item: id = "" } = useParams({ strict: false }) as { item?: string };
  const query = useApi<Quarantined>(get("/quarantine/{item}", { item: id }), { every: false });
  const item = query.data;
  return (
    <Page
      title={item?.label ?? "Quarantined item"}
      crumbs={[{ title: "Quarantine", to: "/quarantine" }]}
      about={
        item ? (
          <Group gap={10}>
            <Status word={item.status} />
            <span>{item.system}</span>
            <span>
              run{" "}
              <Anchor component={Link} to={href.run(item.run)} className="mono">
                {shortId(item.run)}
              </Anchor>
            </span>
          </Group>
        ) : null
      }
    >
      <Answer query={query}>
        {(data) => (
          <div className="grid">
            <Callout tone="warn" title={`Refused: ${data.class}`}>
              <Text style={{ whiteSpace: "pre-wrap" }}>{data.reason}</Text>
              {data.together_with.length > 0 ? (
                <Text size="xs">Fails only together with items {data.together_with.join(", ")}</Text>
              ) : null}
            </Callout>
            <Repair item={data} />
            <Panel title="Rows it would write" flush className="w6">
              <Scroll label="Rows it would write" height={560} grows>
                {data.changes.map((change) => (
                  <RowDiff key={`${change.table}/${JSON.stringify(change.after ?? change.before)}`} change={change} />
                ))}
                {data.changes.length === 0 ? (
                  <Empty title="None">Planning refused the record before any row was made of it.</Empty>
                ) : null}
              </Scroll>
            </Panel>
          </div>
        )}
      </Answer>
    </Page>
  );
}

/** The record as text that can be edited; whether it still is JSON. */
export function readRecord(text: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "this is not JSON" };
  }
}

const STEPS = {
  repair: {
    title: "Keep the repaired record",
    about: "The stored source record becomes what you wrote.",
    confirm: "Keep record",
  },
  replay: {
    title: "Replay into its run",
    about: "The record is planned against the rows as they are now, and applied as a further batch of the same run.",
    confirm: "Replay",
  },
  discard: { title: "Discard the item", about: "The item is settled without being applied.", confirm: "Discard item" },
} as const;
type Step = keyof typeof STEPS;

function Repair({ item }: { item: Quarantined }) {
  const client = useQueryClient();
  const { can } = useSession();
  // What is replayed: the repaired record once there is one.
  const stored = JSON.stringify(item.edited ?? item.record, null, 2);
  const [text, setText] = useState(stored);
  const [step, setStep] = useState<Step | null>(null);
  const [trying, setTrying] = useState(false);
  const [tried, setTried] = useState<Tried | null>(null);
  useEffect(() => {
    setText(stored);
    setTried(null);
  }, [stored]);
  const [error, setError] = useState<unknown>(null);
  const validate = async () => {
    setTrying(true);
    setError(null);
    try {
      setTried(await api.send<Tried>(post("/quarantine/{item}/validate", { item: item.id }, { reason: "validate" })));
    } catch (problem) {
      setError(problem);
    } finally {
      setTrying(false);
    }
  };
  const read = readRecord(text);
  const edited = text !== stored;
  const may = can("operator", item.system) && item.status === "open";
  const of = { item: item.id };
  const requests = {
    repair: (reason: string) =>
      post("/quarantine/{item}/repair", of, { reason, body: "value" in read ? read.value : undefined }),
    replay: (reason: string) => post("/quarantine/{item}/replay", of, { reason }),
    discard: (reason: string) => post("/quarantine/{item}/discard", of, { reason }),
  };
  return (
    <Panel
      title="Source record"
      className="w6"
      note={edited ? "edited, not kept yet" : item.edited ? "repaired" : "as it came"}
      actions={
        <>
          <Button variant="default" disabled={!may || !edited || "problem" in read} onClick={() => setStep("repair")}>
            Keep repair
          </Button>
          <Button variant="default" disabled={!may || edited} loading={trying} onClick={() => void validate()}>
            Validate
          </Button>
          <Button disabled={!may || edited} onClick={() => setStep("replay")}>
            Replay
          </Button>
          <Button variant="default" disabled={!may} onClick={() => setStep("discard")}>
            Discard
          </Button>
        </>
      }
    >
      {error ? <Problem error={error} /> : null}
      {tried ? (
        <div role="status" style={{ marginBottom: 10 }}>
          <Callout
            tone={tried.ok ? "good" : "bad"}
            title={tried.ok ? "It would be taken" : "It would be refused again"}
          >
            {tried.problems.map((one) => (
              <Text key={one} style={{ whiteSpace: "pre-wrap" }}>
                {one}
              </Text>
            ))}
            {tried.refusal ? <Text style={{ whiteSpace: "pre-wrap" }}>{tried.refusal.reason}</Text> : null}
          </Callout>
        </div>
      ) : null}
      <Textarea
        aria-label="Source record"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        autosize
        minRows={12}
        maxRows={26}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12 } }}
        error={"problem" in read ? read.problem : undefined}
        spellCheck={false}
      />
      {edited ? (
        <Button variant="subtle" mt={6} onClick={() => setText(stored)}>
          Back to the stored record
        </Button>
      ) : null}
      {step ? (
        <Act<Settled>
          opened
          onClose={() => setStep(null)}
          title={STEPS[step].title}
          about={STEPS[step].about}
          confirm={STEPS[step].confirm}
          danger={step === "discard"}
          send={async (reason) => {
            const answer = await api.send<Settled>(requests[step](reason));
            if ("report" in answer && answer.item.status === "open") {
              await client.invalidateQueries();
              throw new Error(`It was refused again: ${answer.item.reason}`);
            }
            return answer;
          }}
        />
      ) : null}
    </Panel>
  );
}
