// One dashboard: its parameters in the address, its panels in rows; each panel loads and fails on its own.
import { Group, TextInput } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { path } from "../../api/client";
import { useApi } from "../../api/queries";
import { tableOf, type ViewAnswer } from "../../api/views";
import { Choice } from "../../parts/Filters";
import { Page, Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { PanelBody } from "./PanelBody";
import { type Dashboard, type PanelDefinition, type Parameter, panelId, parametersOf, rowsOf } from "./types";

export function DashboardPage() {
  const { dashboard: name = "" } = useParams({ strict: false }) as { dashboard?: string };
  const query = useApi<Dashboard>(path("dashboards", name), undefined, { every: false });
  const [search, setSearch] = useFilters();
  const parameters = query.data ? parametersOf(query.data) : [];
  const given = Object.fromEntries(parameters.map((one) => [one.name, search[one.name] ?? one.default]));
  return (
    <Page
      title={query.data?.title ?? name}
      crumbs={[{ title: "Dashboards", to: "/dashboards" }]}
      about={query.data?.about ?? query.data?.help}
      actions={parameters.map((one) => (
        <Asked
          key={one.name}
          parameter={one}
          value={search[one.name]}
          onChange={(value) => setSearch({ [one.name]: value })}
        />
      ))}
    >
      <Answer query={query}>
        {(dashboard) => (
          <>
            {rowsOf(dashboard).map((row, position) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of a definition have no names
              <div key={position} className="grid">
                {row.panels.map((panel) => (
                  <Filled key={panelId(panel)} dashboard={name} panel={panel} parameters={given} />
                ))}
              </div>
            ))}
          </>
        )}
      </Answer>
    </Page>
  );
}

function Asked({
  parameter,
  value,
  onChange,
}: {
  parameter: Parameter;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  const label = parameter.title ?? parameter.name;
  if (parameter.options?.length) {
    return (
      <Choice
        label={`${label}${parameter.default ? ` (${parameter.default})` : ""}`}
        width={160}
        value={value}
        onChange={onChange}
        options={parameter.options}
      />
    );
  }
  const isDay = parameter.kind === "day" || parameter.kind === "date" || parameter.kind === "time";
  return (
    <Group gap={4}>
      <TextInput
        aria-label={label}
        title={parameter.help}
        placeholder={label}
        type={isDay ? "date" : "text"}
        w={140}
        value={value ?? ""}
        onChange={(event) => onChange(event.currentTarget.value || undefined)}
      />
    </Group>
  );
}

function Filled({
  dashboard,
  panel,
  parameters,
}: {
  dashboard: string;
  panel: PanelDefinition;
  parameters: Record<string, string | undefined>;
}) {
  const query = useApi<ViewAnswer>(path("dashboards", dashboard, "panels", panelId(panel)), parameters);
  const table = useMemo(() => tableOf(query.data), [query.data]);
  const navigate = useNavigate();
  const drill = typeof panel.drill === "string" ? panel.drill : panel.drill?.dashboard;
  const span = Math.min(12, Math.max(3, panel.span ?? (panel.kind === "number" || panel.kind === "stat" ? 3 : 6)));
  return (
    <Panel
      title={panel.title ?? panelId(panel)}
      className={span === 12 ? undefined : `w${span}`}
      flush={panel.kind === "table"}
    >
      <Answer query={query}>
        {() => (
          <PanelBody
            panel={panel}
            table={table}
            onPick={
              drill
                ? (value) =>
                    void navigate({
                      to: `${href.dashboard(drill)}?${new URLSearchParams({ [panel.x ?? "value"]: value })}`,
                    })
                : undefined
            }
          />
        )}
      </Answer>
    </Panel>
  );
}
