// Sessions of the coding agent: filtered by project, agent, model, time and text (OC-32, OC-97).
import { Anchor, Group, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { num, str, tableOf, type ViewAnswer, type ViewRow } from "../../api/views";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Choice, Find } from "../../parts/Filters";
import { count, duration, measured, number } from "../../parts/format";
import { Page, Panel, Stats } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";

const COLUMNS: Column<ViewRow>[] = [
  {
    id: "title",
    header: "Session",
    width: "minmax(240px, 3fr)",
    value: (row) => str(row.title),
    cell: (row) => (
      <Anchor component={Link} to={href.session(str(row.session_id))}>
        {str(row.title) || str(row.session_id)}
      </Anchor>
    ),
  },
  {
    id: "project",
    header: "Project",
    width: "minmax(150px, 1.4fr)",
    value: (row) => str(row.root_path),
    cell: (row) => <span className="mono">{str(row.root_path)}</span>,
  },
  {
    id: "status",
    header: "Status",
    width: "110px",
    value: (row) => str(row.status),
    cell: (row) => <Status word={str(row.status) || "unknown"} />,
  },
  { id: "exchanges", header: "Exchanges", width: "90px", align: "right", value: (row) => num(row.exchanges) },
  { id: "tools", header: "Tools", width: "80px", align: "right", value: (row) => num(row.tool_calls) },
  {
    id: "errors",
    header: "Errors",
    width: "80px",
    align: "right",
    value: (row) => num(row.errors),
    cell: (row) => ((num(row.errors) ?? 0) > 0 ? <Status word="error" label={number(num(row.errors))} /> : "0"),
  },
  {
    id: "cost",
    header: "Cost",
    width: "100px",
    align: "right",
    value: (row) => num(row.stored_cost),
    cell: (row) => measured(num(row.stored_cost), "USD"),
  },
  {
    id: "list",
    header: "At list price",
    width: "110px",
    align: "right",
    value: (row) => num(row.list_cost),
    cell: (row) => measured(num(row.list_cost), "USD"),
  },
  {
    id: "length",
    header: "Length",
    width: "110px",
    align: "right",
    value: (row) => lengthOf(row),
    cell: (row) => duration(lengthOf(row)),
  },
  {
    id: "at",
    header: "Last active",
    width: "110px",
    value: (row) => str(row.time_updated),
    cell: (row) => <Time at={str(row.time_updated)} form="ago" />,
  },
];

function lengthOf(row: ViewRow): number | null {
  const passed = new Date(str(row.time_updated)).getTime() - new Date(str(row.time_created)).getTime();
  return Number.isFinite(passed) ? passed : null;
}

export function Sessions() {
  const [search, setSearch] = useFilters();
  const navigate = useNavigate();
  const { project, agent, model, from, to } = search;
  const query = useApi<ViewAnswer>(
    get(
      "/views/{system}/{view}",
      { system: "opencode", view: "sessions" },
      { project, agent, model, from, to, limit: 1000 },
    ),
  );
  const projects = useApi<ViewAnswer>(get("/views/{system}/{view}", { system: "opencode", view: "cost-by-project" }), {
    every: false,
  });
  const models = useApi<ViewAnswer>(get("/views/{system}/{view}", { system: "opencode", view: "cost-by-model" }), {
    every: false,
  });
  const agents = useApi<ViewAnswer>(get("/views/{system}/{view}", { system: "opencode", view: "cost-by-agent" }), {
    every: false,
  });
  const rows = useMemo(() => tableOf(query.data).rows, [query.data]);
  const shown = rows.filter(
    (row) =>
      (!search.find || `${str(row.title)} ${str(row.root_path)}`.toLowerCase().includes(search.find.toLowerCase())) &&
      (!search.status || str(row.status) === search.status),
  );
  const sum = (name: string) => shown.reduce((all, row) => all + (num(row[name]) ?? 0), 0);
  const choices = (answer: ViewAnswer | undefined, name: string) =>
    [...new Set(tableOf(answer).rows.map((row) => str(row[name])))].filter(Boolean).sort();
  return (
    <Page
      title="Agent sessions"
      about="What the coding agent did, in its own order: exchanges, tools, sub-agents, tokens, cost, errors."
    >
      <Group gap={8} className="no-print">
        <Choice
          label="Project"
          width={200}
          value={project}
          onChange={(one) => setSearch({ project: one })}
          options={choices(projects.data, "root_path")}
        />
        <Choice
          label="Model"
          width={170}
          value={model}
          onChange={(one) => setSearch({ model: one })}
          options={choices(models.data, "model")}
        />
        <Choice
          label="Agent"
          width={130}
          value={agent}
          onChange={(one) => setSearch({ agent: one })}
          options={choices(agents.data, "agent")}
        />
        <Choice
          label="Status"
          width={120}
          value={search.status}
          onChange={(status) => setSearch({ status })}
          options={[...new Set(rows.map((row) => str(row.status)))].filter(Boolean)}
        />
        <TextInput
          aria-label="From"
          type="date"
          value={from ?? ""}
          onChange={(event) => setSearch({ from: event.currentTarget.value || undefined })}
        />
        <TextInput
          aria-label="To"
          type="date"
          value={to ?? ""}
          onChange={(event) => setSearch({ to: event.currentTarget.value || undefined })}
        />
        <Find label="Find in titles and paths" value={search.find} onChange={(find) => setSearch({ find })} />
      </Group>
      {query.data ? (
        <Stats
          figures={[
            { label: "Sessions", value: number(shown.length) },
            { label: "Exchanges", value: number(sum("exchanges")) },
            { label: "Tool calls", value: number(sum("tool_calls")) },
            { label: "Errors", value: number(sum("errors")) },
            { label: "Cost", value: measured(sum("stored_cost"), "USD") },
            { label: "At list price", value: measured(sum("list_cost"), "USD") },
          ]}
        />
      ) : null}
      <Panel
        title="Sessions"
        flush
        note={query.data ? count(shown.length, "session") : null}
        actions={<CsvButton rows={shown} columns={COLUMNS} file="sessions" />}
      >
        <Answer query={query}>
          {() => (
            <DataTable
              label="Sessions"
              rows={shown}
              columns={COLUMNS}
              rowKey={(row) => str(row.session_id)}
              height={560}
              onOpen={(row) => void navigate({ to: href.session(str(row.session_id)) })}
              empty={<Empty title="No session answers these filters" />}
            />
          )}
        </Answer>
      </Panel>
    </Page>
  );
}
