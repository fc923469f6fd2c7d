// One check: its rule, its last result and its trend; and what it finds now: rows that break the rule, a cohort beside the others.
import { Button, Group } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { Chart } from "../../parts/Chart";
import type { Column } from "../../parts/DataTable";
import { measured } from "../../parts/format";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useSession } from "../../shell/session";
import { Look } from "./Look";
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
      {data ? <Look check={data} /> : null}
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
    value: (one) => one.checked_at,
    cell: (one) => <Time at={one.checked_at} />,
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
  const { last, trend } = check;
  const option = useMemo(
    () => ({
      xAxis: { type: "time" },
      yAxis: { type: "value", scale: true },
      series: [
        {
          type: "line",
          symbolSize: 6,
          data: trend.filter((one) => typeof one.value === "number").map((one) => [one.checked_at, one.value]),
        },
      ],
    }),
    [trend],
  );
  return (
    <div className="grid">
      <Panel title="Rule and result" className="w4">
        <Facts
          facts={[
            ["Rule", check.rule],
            ["Measured", measured(last?.value, last?.unit)],
            ["Before", measured(trend[1]?.value, trend[1]?.unit)],
            ["Rows looked at", measured(last?.sample_size)],
            ["Kind", check.kind],
            ["Dimension", check.dimension],
            ["Severity", check.severity],
            ["Checked", <Time key="at" at={last?.checked_at} />],
            ["Message", last?.message ?? "none"],
            ["Hint", check.hint],
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
    </div>
  );
}
