// One check: its rule, its trend, the rows that break it, and how a cohort stands beside everybody else.
import { Button, Group } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { Undoable } from "../../api/types";
import { tableOf, type ViewRow } from "../../api/views";
import { Act } from "../../parts/Act";
import { Chart } from "../../parts/Chart";
import type { Column } from "../../parts/DataTable";
import { measured } from "../../parts/format";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { ViewCsv, ViewTable } from "../../parts/ViewTable";
import { useSession } from "../../shell/session";
import type { CheckDetail, CheckResult } from "./types";

export function CheckPage() {
  const { system = "", check = "" } = useParams({ strict: false }) as { system?: string; check?: string };
  const query = useApi<CheckDetail>(get("/checks/{system}/{check}", { system, check }));
  const { can } = useSession();
  const [running, setRunning] = useState(false);
  const data = query.data;
  return (
    <Page
      title={data?.title ?? check}
      crumbs={[{ title: "Checks", to: "/checks" }]}
      about={
        <Group gap={10}>
          <Status word={data?.last?.verdict ?? "unknown"} label={data?.last ? undefined : "no result yet"} />
          <span>{system}</span>
          <span className="mono">{check}</span>
        </Group>
      }
      actions={
        <Button disabled={!can("operator", system)} onClick={() => setRunning(true)}>
          Run now
        </Button>
      }
    >
      <Answer query={query}>{(found) => <Body check={found} />}</Answer>
      <Act<Undoable>
        opened={running}
        onClose={() => setRunning(false)}
        title="Run this check"
        confirm="Run check"
        send={(reason) => api.send(post("/checks/run", { system, check, reason }))}
      />
    </Page>
  );
}

const TREND: Column<CheckResult>[] = [
  {
    id: "at",
    header: "Checked",
    width: "172px",
    value: (one) => one.checked_at ?? one.at,
    cell: (one) => <Time at={one.checked_at ?? one.at} />,
  },
  {
    id: "verdict",
    header: "Verdict",
    width: "110px",
    value: (one) => one.verdict,
    cell: (one) => <Status word={one.verdict} />,
  },
  { id: "value", header: "Measured", align: "right", value: (one) => one.value },
  { id: "sample", header: "Rows looked at", align: "right", value: (one) => one.sample_size },
];

function Body({ check }: { check: CheckDetail }) {
  const trend = check.trend && Array.isArray(check.trend) ? check.trend : (check.history ?? []);
  const sample = tableOf(
    (check.samples ?? check.sample ?? check.last?.samples ?? check.last?.sample ?? []) as ViewRow[],
  );
  const option = useMemo(
    () => ({
      xAxis: { type: "time" },
      yAxis: { type: "value", scale: true },
      series: [
        {
          type: "line",
          symbolSize: 6,
          data: trend
            .filter((one) => typeof one.value === "number")
            .map((one) => [one.checked_at ?? one.at, one.value]),
        },
      ],
    }),
    [trend],
  );
  const last = check.last;
  return (
    <div className="grid">
      <Panel title="Rule and result" className="w4">
        <Facts
          facts={[
            ["Rule", check.rule ?? check.threshold ?? last?.threshold ?? "not said"],
            ["Measured", measured(last?.value, last?.unit)],
            ["Before", measured(last?.before, last?.unit)],
            ["Rows looked at", measured(last?.sample_size)],
            ["Kind", check.kind ?? "query"],
            ["Dimension", check.dimension ?? "not said"],
            ["Severity", check.severity ?? "not said"],
            ["Checked", <Time key="at" at={last?.checked_at ?? last?.at} />],
            ["Message", last?.message ?? "none"],
            ["Hint", check.hint ?? last?.hint ?? "none"],
            ...Object.entries(last?.numbers ?? {}).map(([name, value]): [string, string] => [
              name.replaceAll("_", " "),
              measured(value),
            ]),
          ]}
        />
      </Panel>
      <Panel title="Trend" className="w8">
        {trend.length > 0 ? (
          <Chart label={`Trend of ${check.title}`} option={option} rows={trend} columns={TREND} file="trend" />
        ) : (
          <Empty title="No earlier results" />
        )}
      </Panel>
      <Panel title="Rows that break the rule" flush note="a sample" actions={<ViewCsv table={sample} file="sample" />}>
        <ViewTable
          label="Sample rows"
          table={sample}
          empty={last?.verdict === "pass" ? "No row breaks the rule" : "No sample was kept"}
        />
      </Panel>
      {check.cohort ? (
        <Panel title="Cohort beside everybody else">
          <Facts
            facts={Object.entries(check.cohort).map(([name, value]) => [name.replaceAll("_", " "), measured(value)])}
          />
        </Panel>
      ) : null}
      {check.sql ? (
        <Panel title="As SQL">
          <pre className="plain">{check.sql}</pre>
        </Panel>
      ) : null}
    </div>
  );
}
