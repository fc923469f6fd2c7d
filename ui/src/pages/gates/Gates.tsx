// All gates with their last verdicts.
import { Anchor } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import type { GateLine } from "./types";

const COLUMNS: Column<GateLine>[] = [
  {
    id: "verdict",
    header: "Last verdict",
    width: "140px",
    value: (one) => one.verdict ?? "never asked",
    cell: (one) => <Status word={one.verdict ?? "unknown"} label={one.verdict ?? "never asked"} />,
  },
  {
    id: "gate",
    header: "Gate",
    width: "minmax(160px, 1fr)",
    value: (one) => one.gate,
    cell: (one) => (
      <Anchor component={Link} to={href.gate(one.gate)} className="mono">
        {one.gate}
      </Anchor>
    ),
  },
  { id: "title", header: "What it decides", width: "minmax(260px, 3fr)", value: (one) => one.title },
  { id: "criteria", header: "Criteria", width: "90px", align: "right", value: (one) => one.criteria },
  {
    id: "at",
    header: "Asked",
    width: "120px",
    value: (one) => one.at,
    cell: (one) => <Time at={one.at} form="ago" />,
  },
];

export function Gates() {
  const query = useApi<List<GateLine>>(get("/gates"));
  const navigate = useNavigate();
  const gates = query.data?.items ?? [];
  return (
    <Page
      title="Gates"
      about="May we go on? Each criterion is bound to evidence: a check, a metric, a verified run, a drill. Nothing unknown ever counts as yes."
    >
      <Panel title="All gates" flush actions={<CsvButton rows={gates} columns={COLUMNS} file="gates" />}>
        <Answer query={query}>
          {() => (
            <DataTable
              label="Gates"
              rows={gates}
              columns={COLUMNS}
              rowKey={(one) => one.gate}
              height={560}
              onOpen={(one) => void navigate({ to: href.gate(one.gate) })}
              empty={<Empty title="No gates" />}
            />
          )}
        </Answer>
      </Panel>
    </Page>
  );
}
