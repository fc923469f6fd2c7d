// One run of a playbook, step by step as it goes, with going on, aborting and rolling back.
import { Anchor, Button, Group } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
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
    request: (run: string, reason: string) => post("/playbook-runs/{run}/continue", { run }, { reason }),
  },
  abort: {
    title: "Abort this run",
    confirm: "Abort",
    about: "It stops after what it is doing. What was done stays until it is rolled back.",
    request: (run: string, reason: string) => post("/playbook-runs/{run}/abort", { run }, { reason }),
  },
  rollback: {
    title: "Roll this run back",
    confirm: "Roll back",
    about: "What was done is taken back, the last step first.",
    request: (run: string, reason: string) => post("/playbook-runs/{run}/rollback", { run }, { reason }),
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
  const query = useApi<PlaybookRunDetail>(get("/playbook-runs/{run}", { run: id }), { every: 2 });
  const run = query.data?.run;
  const playbook = useApi<PlaybookDetail>(get("/playbooks/{name}", { name: run?.playbook ?? "-" }), {
    enabled: Boolean(run),
    every: false,
  });
  const { can } = useSession();
  const [doing, setDoing] = useState<keyof typeof STEPS | null>(null);
  const [approving, setApproving] = useState<string | null>(null);
  const waits = waitsFor(query.data);
  const asks = waits && !query.data?.approvals.some((one) => one.step === waits) ? waits : null;
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
            {asks ? (
              <Button disabled={!can("approver")} onClick={() => setApproving(asks)}>
                Approve {asks}
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
                variant={asks ? "default" : "filled"}
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
              {steps.length > 0 ? (
                <Steps steps={steps} entries={data.steps} approvals={data.approvals} />
              ) : (
                <Empty title="No steps" />
              )}
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
          send={(reason) => api.send(post("/playbook-runs/{run}/approve", { run: id }, { step: approving, reason }))}
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
          send={(reason) => api.send(STEPS[doing].request(id, reason))}
        />
      ) : null}
    </Page>
  );
}
