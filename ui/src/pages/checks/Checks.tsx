// All checks of all systems with their last results, the failed ones first.
import { Anchor, Button } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { List, SystemInfo, Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Choice, Find, SystemChoice } from "../../parts/Filters";
import { measured, number } from "../../parts/format";
import { Page, Panel, Stats } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import type { Check } from "./types";

const VERDICTS = ["fail", "error", "warn", "unknown", "pass"];

const COLUMNS: Column<Check>[] = [
  {
    id: "verdict",
    header: "Last verdict",
    width: "120px",
    value: (one) => VERDICTS.indexOf(one.last?.verdict ?? "unknown"),
    cell: (one) => <Status word={one.last?.verdict ?? "unknown"} label={one.last ? one.last.verdict : "never run"} />,
  },
  { id: "system", header: "System", width: "100px", value: (one) => one.system },
  {
    id: "title",
    header: "What must hold",
    width: "minmax(260px, 3fr)",
    value: (one) => one.title,
    cell: (one) => (
      <Anchor component={Link} to={href.check(one.system, one.check)}>
        {one.title}
      </Anchor>
    ),
  },
  {
    id: "value",
    header: "Measured",
    width: "120px",
    align: "right",
    value: (one) => one.last?.value,
    cell: (one) => measured(one.last?.value, one.last?.unit),
  },
  { id: "rule", header: "Rule", width: "150px", value: (one) => one.rule },
  { id: "severity", header: "Severity", width: "90px", value: (one) => one.severity },
  { id: "dimension", header: "Dimension", width: "120px", value: (one) => one.dimension },
  {
    id: "at",
    header: "Checked",
    width: "110px",
    value: (one) => one.last?.checked_at,
    cell: (one) => <Time at={one.last?.checked_at} form="ago" />,
  },
];

export function Checks() {
  const [search, setSearch] = useFilters();
  const navigate = useNavigate();
  const { can } = useSession();
  const [running, setRunning] = useState(false);
  const systems = useApi<SystemInfo[]>(get("/systems"), { every: false });
  const query = useApi<List<Check>>(get("/checks", { system: search.system, limit: 1000 }));
  const checks = query.data?.items ?? [];
  const of = (verdict: string) => checks.filter((one) => (one.last?.verdict ?? "unknown") === verdict).length;
  const shown = checks.filter(
    (one) =>
      (!search.verdict || (one.last?.verdict ?? "unknown") === search.verdict) &&
      (!search.find || `${one.check} ${one.title}`.toLowerCase().includes(search.find.toLowerCase())),
  );
  const system = search.system ?? systems.data?.[0]?.name ?? "";
  return (
    <Page
      title="Checks"
      about="A rule about data, what it found, and whether it got better. Only what was measured and kept its rule is a pass."
      actions={
        <Button
          leftSection={<IconPlayerPlay size={14} />}
          disabled={!system || !can("operator", system)}
          onClick={() => setRunning(true)}
        >
          Run the checks{system ? ` of ${system}` : ""}
        </Button>
      }
    >
      {query.data ? (
        <Stats
          figures={VERDICTS.map((verdict) => ({
            label: verdict === "unknown" ? "never run" : verdict,
            value: number(of(verdict)),
            to: `/checks?verdict=${verdict}`,
          }))}
        />
      ) : null}
      <Panel
        title="All checks"
        flush
        actions={
          <>
            <SystemChoice value={search.system} onChange={(chosen) => setSearch({ system: chosen })} />
            <Choice
              label="Verdict"
              width={110}
              value={search.verdict}
              onChange={(verdict) => setSearch({ verdict })}
              options={VERDICTS}
            />
            <Find label="Find" width={160} value={search.find} onChange={(find) => setSearch({ find })} />
            <CsvButton rows={shown} columns={COLUMNS} file="checks" />
          </>
        }
      >
        <Answer query={query}>
          {() => (
            <DataTable
              label="Checks"
              rows={shown}
              columns={COLUMNS}
              rowKey={(one) => `${one.system}/${one.check}`}
              height={600}
              initialSort={[{ id: "verdict", desc: false }]}
              onOpen={(one) => void navigate({ to: href.check(one.system, one.check) })}
              empty={<Empty title="No checks answer these filters" />}
            />
          )}
        </Answer>
      </Panel>
      <Act<Undoable>
        opened={running}
        onClose={() => setRunning(false)}
        title={`Run the checks of ${system}`}
        about="They read in one snapshot with a time limit, and change nothing but their own history."
        confirm="Run checks"
        send={(reason) => api.send(post("/checks/run", { system, reason }))}
      />
    </Page>
  );
}
