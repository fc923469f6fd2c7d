// One plan: what it would change, row by row, what an assessment says, and approving or applying it.
import { Anchor, Button, Group, Text } from "@mantine/core";
import { IconCheck, IconPlayerPlay, IconX } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { List, Plan, PlanDetail, PlanItem, Refusal, Run, Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { type Column, DataTable } from "../../parts/DataTable";
import { RowDiff } from "../../parts/Diff";
import { Pager } from "../../parts/Filters";
import { bytes, count, number, shortId } from "../../parts/format";
import { Callout, Facts, Page, Panel } from "../../parts/Page";
import { Scroll } from "../../parts/Scroll";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { type AskedSettings, Settings } from "../runs/Settings";
import { Assessment } from "./Assessment";

const LIMIT = 200;

export function PlanPage() {
  const { plan: id = "" } = useParams({ strict: false }) as { plan?: string };
  const [search, setSearch] = useFilters();
  const offset = Number(search.offset ?? 0) || 0;
  const detail = useApi<PlanDetail>(get("/plans/{plan}", { plan: id }, { limit: LIMIT, offset }), { every: false });
  const plan = detail.data?.plan;
  const runs = useRunsOf(plan);
  return (
    <Page
      title={plan ? `Plan: ${plan.system} ${plan.change}` : "Plan"}
      crumbs={[{ title: "Plans", to: "/plans" }]}
      about={
        plan ? (
          <Group gap={10}>
            {runs?.[0] ? (
              <Status
                word={runs[0].status}
                label={runs[0].status === "finished" ? "applied" : `applied, ${runs[0].status}`}
              />
            ) : (
              <Status word={plan.status} />
            )}
            <span className="mono">{shortId(plan.id)}</span>
            <span>
              digest <span className="mono">{plan.digest.slice(0, 16)}</span>
            </span>
          </Group>
        ) : null
      }
      actions={plan && runs?.length === 0 ? <Decide plan={plan} /> : null}
    >
      <Answer query={detail}>
        {(data) => (
          <div className="grid">
            <Head plan={data.plan} runs={runs ?? []} />
            <Changes
              list={data.items}
              at={search.item}
              onPick={(item) => setSearch({ item })}
              onMove={(to) => setSearch({ offset: String(to), item: undefined })}
            />
          </div>
        )}
      </Answer>
    </Page>
  );
}

/** The runs that applied a plan; nothing while it is not known. A plan is applied once. */
function useRunsOf(plan: Plan | undefined): Run[] | undefined {
  const runs = useApi<List<Run>>(get("/runs", { plan: plan?.id }), { enabled: plan !== undefined });
  return runs.data?.items.filter((run) => run.plan === plan?.id);
}

function Head({ plan, runs }: { plan: Plan; runs: Run[] }) {
  return (
    <>
      <Panel title="What it is" className="w4">
        <Facts
          facts={[
            ["Items", `${number(plan.items)} (${number(plan.refused)} refused while planning)`],
            ["Row changes", number(plan.changes)],
            ["Unchanged", number(plan.unchanged)],
            ["Journal", bytes(plan.journal_bytes)],
            ["Source", plan.source || "none"],
            ["Made", <Time key="made" at={plan.created_at} />],
            ["By", plan.actor],
            ["Approved", plan.approved_by ? `by ${plan.approved_by}` : "not yet"],
            [
              "Runs",
              runs.length > 0 ? (
                <span key="runs">
                  {runs.map((run) => (
                    <Anchor key={run.id} component={Link} to={href.run(run.id)} className="mono" mr={8}>
                      {shortId(run.id)}
                    </Anchor>
                  ))}
                </span>
              ) : (
                "none yet"
              ),
            ],
          ]}
        />
      </Panel>
      <Panel title="Assessment" className="w8" note="a canary batch that is always rolled back">
        <Assessment plan={plan} />
      </Panel>
    </>
  );
}

const ITEMS: Column<PlanItem>[] = [
  { id: "item", header: "No.", width: "56px", align: "right", value: (one) => one.item },
  { id: "label", header: "Item", width: "minmax(150px, 2fr)", value: (one) => one.label },
  {
    id: "changes",
    header: "Rows",
    width: "110px",
    value: (one) => one.changes.length,
    cell: (one) => (one.refusal ? <Status word="refused" /> : <span className="num">{kinds(one)}</span>),
  },
];

/** `+2 ~1 −0` without what is nothing. */
export function kinds(item: PlanItem): string {
  const of = (kind: string) => item.changes.filter((change) => change.kind === kind).length;
  const parts = [
    of("insert") && `+${of("insert")}`,
    of("update") && `~${of("update")}`,
    of("delete") && `−${of("delete")}`,
  ];
  return parts.filter(Boolean).join(" ") || "none";
}

function Changes({
  list,
  at,
  onPick,
  onMove,
}: {
  list: List<PlanItem>;
  at: string | undefined;
  onPick: (item: string) => void;
  onMove: (offset: number) => void;
}) {
  const item = list.items.find((one) => String(one.item) === at) ?? list.items[0];
  return (
    <>
      <Panel
        title="Items"
        flush
        className="w4"
        note={<Pager offset={list.offset} limit={list.limit} total={list.total} what="item" onMove={onMove} />}
      >
        <DataTable
          label="Items of the plan"
          rows={list.items}
          columns={ITEMS}
          rowKey={(one) => String(one.item)}
          current={item ? String(item.item) : null}
          onOpen={(one) => onPick(String(one.item))}
          height={560}
          empty={<Empty title="The plan changes nothing" />}
        />
      </Panel>
      <Panel
        title={item ? item.label : "Rows"}
        flush
        className="w8"
        note={item ? count(item.changes.length, "row change") : null}
      >
        {item?.refusal ? <Refused refusal={item.refusal} /> : null}
        <Scroll label="Row changes" height={560} grows>
          {item?.changes.map((change) => (
            <RowDiff key={`${change.table}/${change.key}`} change={change} />
          ))}
          {item && item.changes.length === 0 && !item.refusal ? <Empty title="No row changes" /> : null}
        </Scroll>
      </Panel>
    </>
  );
}

function Refused({ refusal }: { refusal: Refusal }) {
  return (
    <div style={{ padding: 10 }}>
      <Callout tone="bad" title="Refused while planning">
        <Text style={{ whiteSpace: "pre-wrap" }}>{refusal.reason}</Text>
      </Callout>
    </div>
  );
}

interface Approved extends Undoable {
  plan: Plan;
}

interface Rejected extends Undoable {
  rejected: string;
}

/** The run that began, unless it had not when the answer was due. */
interface Applied extends Undoable {
  run: string | null;
}

function Decide({ plan }: { plan: Plan }) {
  const { can } = useSession();
  const [asked, setAsked] = useState<AskedSettings>({});
  const [step, setStep] = useState<"approve" | "reject" | "apply" | null>(null);
  if (plan.status !== "ready") return null;
  const words = {
    approve: [
      "Approve this plan",
      "The approval binds to the digest: another plan needs another approval.",
      "Approve plan",
    ],
    reject: ["Reject this plan", "A rejected plan cannot be applied.", "Reject plan"],
    apply: [
      "Apply this plan",
      `${count(plan.items, "item")} in batches; a row that changed since is conflicted, not overwritten.`,
      "Apply plan",
    ],
  } as const;
  const of = { plan: plan.id };
  const requests = {
    approve: (reason: string) => post("/plans/{plan}/approve", of, { reason }),
    reject: (reason: string) => post("/plans/{plan}/reject", of, { reason }),
    apply: (reason: string) => post("/plans/{plan}/apply", of, { reason, settings: asked }),
  };
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconX size={14} />}
        disabled={!can("approver", plan.system)}
        onClick={() => setStep("reject")}
      >
        Reject
      </Button>
      <Button
        variant="default"
        leftSection={<IconCheck size={14} />}
        disabled={!can("approver", plan.system) || plan.approved_by !== null}
        onClick={() => setStep("approve")}
      >
        Approve
      </Button>
      <Button
        leftSection={<IconPlayerPlay size={14} />}
        disabled={!can("operator", plan.system)}
        onClick={() => setStep("apply")}
      >
        Apply
      </Button>
      {step ? (
        <Act<Approved | Rejected | Applied>
          opened
          onClose={() => setStep(null)}
          title={words[step][0]}
          about={words[step][1]}
          confirm={words[step][2]}
          danger={step === "reject"}
          send={(reason) => api.send(requests[step](reason))}
          // A rejected plan is discarded: there is nothing to show any more.
          leadsTo={(answer) => {
            if ("rejected" in answer) return "/plans";
            return "run" in answer && answer.run ? href.run(answer.run) : null;
          }}
        >
          {step === "apply" ? <Settings asked={asked} onChange={setAsked} /> : null}
        </Act>
      ) : null}
    </>
  );
}
