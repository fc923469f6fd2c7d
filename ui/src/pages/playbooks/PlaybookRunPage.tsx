// One run of a playbook, step by step as it goes, with going on, aborting and rolling back.
import { Anchor, Button, Group } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, path } from "../../api/client";
import { useApi } from "../../api/queries";
import type { Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { shortId } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { Steps } from "./Steps";
import type { PlaybookDetail, PlaybookRunDetail } from "./types";

const STEPS = {
  continue: {
    title: "Go on with this run",
    confirm: "Go on",
    about: "The step that waits, failed or was interrupted is begun again; what is done stays done.",
  },
  abort: {
    title: "Abort this run",
    confirm: "Abort",
    about: "It stops after what it is doing. What was done stays until it is rolled back.",
  },
  rollback: {
    title: "Roll this run back",
    confirm: "Roll back",
    about: "What was done is taken back, the last step first.",
  },
} as const;

/** The step for whose approval a run waits. */
export function waitsFor(detail: PlaybookRunDetail | undefined): string | null {
  if (detail?.run.status !== "waiting") return null;
  const done = (id: string) =>
    detail.steps.some((entry) => entry.step === id && entry.action === "do" && entry.status === "done");
  return detail.declared.find((step) => step.kind === "approval" && !done(step.id))?.id ?? null;
}

/** Nothing is left to go on with. */
const OVER = ["done", "rolled_back"];

export function PlaybookRunPage() {
  const { run: id = "" } = useParams({ strict: false }) as { run?: string };
  const query = useApi<PlaybookRunDetail>(path("playbook-runs", id), undefined, { every: 2 });
  const run = query.data?.run;
  const playbook = useApi<PlaybookDetail>(path("playbooks", run?.playbook ?? "-"), undefined, {
    enabled: Boolean(run),
    every: false,
  });
  const { can } = useSession();
  const [doing, setDoing] = useState<keyof typeof STEPS | null>(null);
  const [approving, setApproving] = useState<string | null>(null);
  // The server does not say who has approved already; whoever did it here is not asked again.
  const [approved, setApproved] = useState<string | null>(null);
  const waits = waitsFor(query.data);
  return (
    <Page
      title={playbook.data?.front.title ?? "Run of a playbook"}
      crumbs={[{ title: "Playbooks", to: "/playbooks" }]}
      about={
        run ? (
          <Group gap={10}>
            <Status word={run.status} />
            <span className="mono">{shortId(run.id)}</span>
            <Anchor component={Link} to={href.playbook(run.playbook)}>
              the document
            </Anchor>
          </Group>
        ) : null
      }
      actions={
        run ? (
          <>
            {waits && waits !== approved ? (
              <Button disabled={!can("approver")} onClick={() => setApproving(waits)}>
                Approve {waits}
              </Button>
            ) : null}
            {run.status === "running" ? (
              <Button variant="default" disabled={!can("operator")} onClick={() => setDoing("abort")}>
                Abort
              </Button>
            ) : null}
            {run.status === "rolled_back" ? null : (
              <Button variant="default" disabled={!can("operator")} onClick={() => setDoing("rollback")}>
                Roll back
              </Button>
            )}
            {OVER.includes(run.status) ? null : (
              <Button
                variant={waits && waits !== approved ? "default" : "filled"}
                disabled={!can("operator")}
                onClick={() => setDoing("continue")}
              >
                Go on
              </Button>
            )}
          </>
        ) : null
      }
    >
      <Answer query={query}>
        {(data) => {
          const steps = data.declared;
          return (
            <Panel title="Steps" flush>
              {steps.length > 0 ? <Steps steps={steps} entries={data.steps} /> : <Empty title="No steps" />}
            </Panel>
          );
        }}
      </Answer>
      {query.data?.rollback.length ? (
        <Panel title="What would take it back" note="the last step first">
          <pre className="plain">
            {query.data.rollback.map((one) => `${one.step}: plimsoll ${one.line}`).join("\n")}
          </pre>
        </Panel>
      ) : null}
      {approving ? (
        <Act<Undoable>
          opened
          onClose={() => setApproving(null)}
          title={`Approve the step ${approving}`}
          about="The approval is bound to the document as the run began with it. The run then waits for somebody to go on with it."
          confirm="Approve"
          send={(reason) => api.post(path("playbook-runs", id, "approve"), { step: approving, reason })}
          onDone={() => setApproved(approving)}
        />
      ) : null}
      {doing ? (
        <Act<Undoable>
          opened
          onClose={() => setDoing(null)}
          title={STEPS[doing].title}
          about={STEPS[doing].about}
          confirm={STEPS[doing].confirm}
          danger={doing !== "continue"}
          send={(reason) => api.post(path("playbook-runs", id, doing), { reason })}
        />
      ) : null}
    </Page>
  );
}
