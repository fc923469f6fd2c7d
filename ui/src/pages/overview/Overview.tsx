// The first page: how every system stands, what needs a person, and what ran last. All of it is asked, none assumed.
import { Anchor } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { asFailure } from "../../api/failure";
import type { Flag } from "../../api/flags";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List, Plan, Quarantined, Run, SystemInfo } from "../../api/types";
import { DataTable } from "../../parts/DataTable";
import { number } from "../../parts/format";
import { Page, Panel, Stats } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { href } from "../../shell/places";
import { RUN_COLUMNS } from "../runs/columns";
import { Attention } from "./Attention";
import { SystemCards } from "./SystemCards";
import { newestRuns, type OverviewAnswer, overviewOf } from "./types";

export function Overview() {
  const overview = useApi<OverviewAnswer>(get("/overview"));
  const systems = useApi<SystemInfo[]>(get("/systems"));
  const runs = useApi<List<Run>>(get("/runs", { limit: 12 }));
  const plans = useApi<List<Plan>>(get("/plans", { limit: 100 }));
  const quarantine = useApi<List<Quarantined> | Quarantined[]>(get("/quarantine", { limit: 1 }));
  const flags = useApi<List<Flag>>(get("/flags", { limit: 200 }));
  const navigate = useNavigate();
  const left = Array.isArray(quarantine.data) ? quarantine.data.length : quarantine.data?.total;
  const waiting = plans.data?.items.filter(
    (plan) => plan.status === "ready" && plan.changes > 0 && !isApplied(plan, runs.data),
  ).length;
  const on = flags.data?.items.filter((one) => one.flag.state === "on").length;
  return (
    <Page
      title="Overview"
      about="Five systems, one load line: what will change, what changed, whether it is right, who gets it."
    >
      <Stats
        figures={[
          { label: "Systems", value: number(systems.data?.length), to: "/systems" },
          { label: "Runs", value: number(runs.data?.total), to: "/runs" },
          {
            label: "Plans",
            value: number(plans.data?.total),
            to: "/plans",
            hint: waiting === undefined ? undefined : `${waiting} may still be applied`,
          },
          { label: "In quarantine", value: number(left), to: "/quarantine" },
          {
            label: "Flags on",
            value: on === undefined ? number(undefined) : `${on} of ${flags.data?.total}`,
            to: "/flags",
          },
        ]}
      />
      <div className="grid">
        <Panel title="Systems" className="w8" flush>
          <Answer query={systems}>
            {(data) => <SystemCards systems={data} overview={overview.data ?? null} runs={runs.data?.items ?? []} />}
          </Answer>
        </Panel>
        <Panel title="Needs a person" className="w4" flush>
          <Attention systems={systems.data ?? []} quarantine={left} overview={overview.data ?? null} />
        </Panel>
        <Panel
          title="Newest runs"
          flush
          actions={
            <Anchor component={Link} to="/runs">
              All runs
            </Anchor>
          }
        >
          <Answer query={runs}>
            {(data) => (
              <DataTable
                label="Newest runs"
                rows={newestRuns(data.items, overviewOf(overview.data ?? null))}
                columns={RUN_COLUMNS}
                rowKey={(run) => run.id}
                height={360}
                onOpen={(run) => void navigate({ to: href.run(run.id) })}
                empty={<Empty title="No runs yet">Make a plan, apply it, and it stands here.</Empty>}
              />
            )}
          </Answer>
        </Panel>
      </div>
      {overview.isError && asFailure(overview.error).kind !== "absent" ? (
        <p role="alert">{asFailure(overview.error).message}</p>
      ) : null}
    </Page>
  );
}

function isApplied(plan: Plan, runs: List<Run> | undefined): boolean {
  return (runs?.items ?? []).some((run) => run.plan === plan.id);
}
