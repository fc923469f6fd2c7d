// The registry of plan documents whose steps are executable: purpose, state and progress (PFA-25).
import { Anchor, Progress } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { NOTHING, percent } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import type { PlaybookLine, PlaybookRun } from "./types";

const COLUMNS: Column<PlaybookLine>[] = [
  {
    id: "title",
    header: "Playbook",
    width: "minmax(240px, 2fr)",
    value: (one) => one.title,
    cell: (one) => (
      <Anchor component={Link} to={href.playbook(one.playbook)}>
        {one.title}
      </Anchor>
    ),
  },
  {
    id: "state",
    header: "State",
    width: "120px",
    value: (one) => one.state,
    cell: (one) => <Status word={one.state} tone={one.state === "Draft" ? "idle" : undefined} />,
  },
  {
    id: "progress",
    header: "Progress",
    width: "150px",
    value: (one) => one.progress_percent,
    cell: (one) =>
      one.progress_percent === null ? (
        NOTHING
      ) : (
        <span style={{ display: "flex", gap: 8, alignItems: "center" }}>
          <Progress
            value={one.progress_percent}
            size="sm"
            style={{ flex: 1 }}
            aria-label={`Progress of ${one.title}`}
          />
          <span className="num">{percent(one.progress_percent / 100, 0)}</span>
        </span>
      ),
  },
  { id: "purpose", header: "Purpose", width: "minmax(260px, 3fr)", value: (one) => one.purpose },
  { id: "owner", header: "Owner", width: "150px", value: (one) => one.owner },
  { id: "target", header: "Target", width: "170px", value: (one) => one.target },
];

const RUNS: Column<PlaybookRun>[] = [
  {
    id: "id",
    header: "Run",
    width: "130px",
    value: (one) => one.id,
    cell: (one) => (
      <Anchor component={Link} to={href.playbookRun(one.id)} className="mono">
        {one.id.slice(0, 12)}
      </Anchor>
    ),
  },
  { id: "playbook", header: "Playbook", value: (one) => one.playbook },
  {
    id: "status",
    header: "Status",
    width: "140px",
    value: (one) => one.status,
    cell: (one) => <Status word={one.status} />,
  },
  { id: "actor", header: "By", width: "110px", value: (one) => one.actor },
  {
    id: "at",
    header: "Started",
    width: "120px",
    value: (one) => one.started_at,
    cell: (one) => <Time at={one.started_at} form="ago" />,
  },
];

export function Playbooks() {
  const query = useApi<List<PlaybookLine>>(get("/playbooks"));
  const runs = useApi<List<PlaybookRun>>(get("/playbook-runs"));
  const navigate = useNavigate();
  const lines = query.data?.items ?? [];
  const gone = runs.data?.items ?? [];
  return (
    <Page
      title="Playbooks"
      about="Plan documents whose steps are executable: pre-checks, backup, run, verify, gate, flag, watch - and the way back of each step."
    >
      <Panel title="Active plans" flush actions={<CsvButton rows={lines} columns={COLUMNS} file="playbooks" />}>
        <Answer query={query}>
          {() => (
            <DataTable
              label="Playbooks"
              rows={lines}
              columns={COLUMNS}
              rowKey={(one) => one.playbook}
              height={340}
              onOpen={(one) => void navigate({ to: href.playbook(one.playbook) })}
              empty={<Empty title="No playbooks" />}
            />
          )}
        </Answer>
      </Panel>
      <Panel title="Runs of playbooks" flush actions={<CsvButton rows={gone} columns={RUNS} file="playbook-runs" />}>
        <Answer query={runs}>
          {() => (
            <DataTable
              label="Runs of playbooks"
              rows={gone}
              columns={RUNS}
              rowKey={(one) => one.id}
              height={280}
              onOpen={(one) => void navigate({ to: href.playbookRun(one.id) })}
              empty={<Empty title="No playbook was run yet" />}
            />
          )}
        </Answer>
      </Panel>
    </Page>
  );
}
