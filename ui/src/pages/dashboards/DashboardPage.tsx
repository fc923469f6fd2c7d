// One dashboard: its parameters in the address, its panels in rows; each panel loads and fails on its own.
import { TextInput, Title } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { str, tableOf, type ViewRow } from "../../api/views";
import { Find } from "../../parts/Filters";
import { Page, Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { useFilters } from "../../parts/useFilters";
import { ViewCsv } from "../../parts/ViewTable";
import { href } from "../../shell/places";
import { PanelBody } from "./PanelBody";
import type { Dashboard, PanelAnswer, PanelDefinition } from "./types";

const DAYS = ["from", "to"];

export function DashboardPage() {
  const { dashboard: name = "" } = useParams({ strict: false }) as { dashboard?: string };
  const query = useApi<Dashboard>(get("/dashboards/{name}", { name }), { every: false });
  const [search, setSearch] = useFilters();
  const parameters = query.data?.parameters ?? [];
  const given = Object.fromEntries(parameters.map((one) => [one, search[one]]));
  return (
    <Page
      title={query.data?.title ?? name}
      crumbs={[{ title: "Dashboards", to: "/dashboards" }]}
      about={query.data?.about}
      actions={parameters.map((one) => (
        <Asked key={one} name={one} value={search[one]} onChange={(value) => setSearch({ [one]: value })} />
      ))}
    >
      <Answer query={query}>
        {(dashboard) => (
          <>
            {dashboard.row.map((row, position) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of a definition have no names
              <div key={position}>
                {row.title ? (
                  <Title order={2} mb={6}>
                    {row.title}
                  </Title>
                ) : null}
                <div className="grid">
                  {row.panel.map((panel) => (
                    <Filled key={panel.panel} dashboard={name} panel={panel} parameters={given} />
                  ))}
                </div>
              </div>
            ))}
          </>
        )}
      </Answer>
    </Page>
  );
}

function Asked({
  name,
  value,
  onChange,
}: {
  name: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  if (!DAYS.includes(name)) return <Find label={name} width={140} value={value} onChange={onChange} />;
  return (
    <TextInput
      aria-label={name}
      title={name}
      type="date"
      w={140}
      value={value ?? ""}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
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
  const query = useApi<PanelAnswer>(
    get("/dashboards/{name}/panels/{panel}", { name: dashboard, panel: panel.panel }, parameters),
  );
  const table = useMemo(() => tableOf(query.data?.data), [query.data]);
  const navigate = useNavigate();
  const drill = panel.drill;
  const width = Math.min(12, Math.max(3, panel.width));
  const open = (row: ViewRow) => {
    if (!drill) return;
    const asked = new URLSearchParams({ [drill.parameter]: str(row[drill.column]) });
    void navigate({ to: `${href.dashboard(drill.dashboard)}?${asked}` });
  };
  return (
    <Panel
      title={panel.title}
      className={width >= 10 ? undefined : `w${width}`}
      flush={panel.kind === "table"}
      actions={panel.kind === "table" ? <ViewCsv table={table} file={panel.panel} /> : null}
    >
      <Answer query={query}>{() => <PanelBody panel={panel} table={table} onOpen={drill ? open : undefined} />}</Answer>
    </Panel>
  );
}
