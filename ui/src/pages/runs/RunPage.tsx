// One run: what became of its items, batch by batch, live while it goes on, with its report, its journal and the way back.
import { Anchor, Button, CopyButton, Group } from "@mantine/core";
import { IconArrowBackUp, IconPlayerPause, IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { Run, RunDetail, Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { count, duration, number, shortId } from "../../parts/format";
import { Callout, Facts, Page, Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { TallyBar } from "../../parts/Tally";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { RunStatus } from "./columns";
import { Journal, Left } from "./Journal";
import { Live } from "./Live";
import { type AskedSettings, Settings } from "./Settings";
import { UndoRun } from "./UndoRun";

const RESUMABLE = ["paused", "stopped"];

type Step = "pause" | "resume" | "cancel" | "undo";

export function RunPage() {
  const { run: id = "" } = useParams({ strict: false }) as { run?: string };
  const detail = useApi<RunDetail>(get("/runs/{run}", { run: id }), { every: 5 });
  const run = detail.data?.run;
  return (
    <Page
      title={run ? `${run.system} ${run.change}` : "Run"}
      crumbs={[{ title: "Runs", to: "/runs" }]}
      about={run ? <About run={run} /> : null}
      actions={run ? <Actions run={run} /> : null}
    >
      <Answer query={detail}>{(data) => <Body data={data} />}</Answer>
    </Page>
  );
}

function About({ run }: { run: Run }) {
  return (
    <Group gap={10}>
      <RunStatus run={run} />
      <span className="mono">{shortId(run.id)}</span>
      {run.undoes ? (
        <span>
          takes back{" "}
          <Anchor component={Link} to={href.run(run.undoes)} className="mono">
            {shortId(run.undoes)}
          </Anchor>
        </span>
      ) : null}
    </Group>
  );
}

function Body({ data }: { data: RunDetail }) {
  const { run, report, events } = data;
  const isGoing = run.status === "running";
  return (
    <div className="grid">
      {run.stop_reason ? (
        <Callout tone="warn" title={run.stop_class ? `Stopped: ${run.stop_class}` : "Stopped"}>
          {run.stop_reason}
        </Callout>
      ) : null}
      <div className="col w8">
        <Panel title={isGoing ? "Progress" : "Outcome"} note={count(run.tally.planned, "item")}>
          <TallyBar tally={run.tally} legend />
          {isGoing ? <Live run={run} /> : null}
        </Panel>
        <Left run={run} errors={report.batch_errors} />
      </div>
      <Panel title="Facts" className="w4">
        <Facts
          facts={[
            [
              "Plan",
              <Anchor key="plan" component={Link} to={href.plan(run.plan)} className="mono">
                {shortId(run.plan)}
              </Anchor>,
            ],
            ["Started", <Time key="started" at={run.started_at} />],
            ["Took", duration(run.duration_ms)],
            ["By", run.actor],
            ["Reason", run.reason || "none given"],
            [
              "Batches",
              run.settings.batch_size
                ? `${number(run.batches)} of ${number(run.settings.batch_size)} items`
                : number(run.batches),
            ],
            ["Rows written", number(run.rows_written)],
            ["Unchanged", number(report.unchanged)],
            [
              "Backup",
              run.backup ? (
                <span key="backup" className="mono">
                  {shortId(run.backup)}
                </span>
              ) : (
                "none"
              ),
            ],
          ]}
        />
      </Panel>
      <Journal events={events} />
    </div>
  );
}

function Actions({ run }: { run: Run }) {
  const { can } = useSession();
  const [asked, setAsked] = useState<AskedSettings>({});
  const [step, setStep] = useState<Step | null>(null);
  const mayChange = can("operator", run.system);
  const isGoing = run.status === "running";
  const say = { pause: "Pause", resume: "Resume", cancel: "Cancel" } as const;
  const of = { run: run.id };
  const requests = {
    pause: (reason: string) => post("/runs/{run}/pause", of, { reason }),
    resume: (reason: string) => post("/runs/{run}/resume", of, { reason, settings: asked }),
    cancel: (reason: string) => post("/runs/{run}/cancel", of, { reason }),
  };
  return (
    <>
      <CopyButton value={run.id}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy}>
            {copied ? "Copied" : "Copy id"}
          </Button>
        )}
      </CopyButton>
      {isGoing ? (
        <Button
          variant="default"
          leftSection={<IconPlayerPause size={14} />}
          disabled={!mayChange}
          onClick={() => setStep("pause")}
        >
          Pause
        </Button>
      ) : null}
      {RESUMABLE.includes(run.status) ? (
        <Button leftSection={<IconPlayerPlay size={14} />} disabled={!mayChange} onClick={() => setStep("resume")}>
          Resume
        </Button>
      ) : null}
      {isGoing || RESUMABLE.includes(run.status) ? (
        <Button
          variant="default"
          leftSection={<IconPlayerStop size={14} />}
          disabled={!mayChange}
          onClick={() => setStep("cancel")}
        >
          Cancel
        </Button>
      ) : null}
      {!isGoing && run.tally.applied > 0 ? (
        <Button
          variant="light"
          leftSection={<IconArrowBackUp size={14} />}
          disabled={!mayChange}
          onClick={() => setStep("undo")}
        >
          Undo…
        </Button>
      ) : null}
      {step && step !== "undo" ? (
        <Act<Undoable>
          opened
          onClose={() => setStep(null)}
          title={`${say[step]} this run`}
          about={
            step === "cancel"
              ? "The run ends after its current batch. What it has written stays until it is undone."
              : step === "pause"
                ? "The run stops after its current batch and can be resumed."
                : "The run goes on where it stands; nothing is applied twice."
          }
          confirm={`${say[step]} run`}
          danger={step === "cancel"}
          send={(reason) => api.send(requests[step](reason))}
        >
          {step === "resume" ? <Settings asked={asked} onChange={setAsked} /> : null}
        </Act>
      ) : null}
      <UndoRun run={run} opened={step === "undo"} onClose={() => setStep(null)} />
    </>
  );
}
