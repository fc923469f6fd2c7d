// The first page: how every system stands, what needs a person, and what ran last. All of it is asked, none assumed.
import { Anchor } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List, PlanLine, Quarantined, Run } from "../../api/types";
import { DataTable } from "../../parts/DataTable";
import { number } from "../../parts/format";
import { Page, Panel, Stats } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { href } from "../../shell/places";
import { RUN_COLUMNS } from "../runs/columns";
import { Attention } from "./Attention";
import { SystemCards } from "./SystemCards";
import { newestRuns, type OverviewAnswer } from "./types";

export function Overview() {
  const overview = useApi<OverviewAnswer>(get("/overview"));
  const runs = useApi<List<Run>>(get("/runs", { limit: 12 }));
  const plans = useApi<List<PlanLine>>(get("/plans", { limit: 100 }));
  const quarantine = useApi<List<Quarantined>>(get("/quarantine", { limit: 1 }));
  const navigate = useNavigate();
  const left = quarantine.data?.total;
  const waiting = plans.data?.items.filter((plan) => plan.status === "ready" && plan.changes > 0 && !plan.run).length;
  return (
    <Page
      title="Overview"
      about="Five systems, one load line: what will change, what changed, whether it is right, who gets it."
    >
      <Stats
        figures={[
          { label: "Systems", value: number(overview.data?.systems.length), to: "/systems" },
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
            value: overview.data ? `${overview.data.flags_on} of ${overview.data.flags}` : number(undefined),
            to: "/flags",
          },
        ]}
      />
      <div className="grid">
        <Panel title="Systems" className="w8" flush>
          <Answer query={overview}>{(data) => <SystemCards systems={data.systems} />}</Answer>
        </Panel>
        <Panel title="Needs a person" className="w4" flush>
          <Answer query={overview}>{(data) => <Attention systems={data.systems} quarantine={left ?? 0} />}</Answer>
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
                rows={newestRuns(data.items, overview.data?.systems ?? [])}
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
    </Page>
  );
}
