// One view: its question, its parameters in the address, its answer as rows.
import { Button, TextInput } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { useApi } from "../../api/queries";
import { address, get } from "../../api/request";
import type { List } from "../../api/types";
import { tableOf, type ViewAnswer } from "../../api/views";
import { Find } from "../../parts/Filters";
import { count } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { useFilters } from "../../parts/useFilters";
import { ViewTable } from "../../parts/ViewTable";

interface Described {
  system: string;
  view: string;
  title: string;
  answers: string;
  parameters: { name: string; help: string }[];
}

export function ViewPage() {
  const { system = "", view = "" } = useParams({ strict: false }) as { system?: string; view?: string };
  const [search, setSearch] = useFilters();
  const views = useApi<List<Described>>(get("/views", { system, limit: 1000 }), { every: false });
  const known = views.data?.items.find((one) => one.view === view);
  const given = Object.fromEntries((known?.parameters ?? []).map((one) => [one.name, search[one.name]]));
  const query = useApi<ViewAnswer>(get("/views/{system}/{view}", { system, view }, given), {
    every: false,
    enabled: Boolean(known),
  });
  const table = useMemo(() => tableOf(query.data), [query.data]);
  return (
    <Page
      title={known?.title ?? view}
      crumbs={[{ title: system, to: `/systems/${encodeURIComponent(system)}` }]}
      about={known?.answers}
      actions={(known?.parameters ?? []).map((one) =>
        one.name === "from" || one.name === "to" ? (
          <TextInput
            key={one.name}
            type="date"
            aria-label={one.name}
            title={one.help}
            value={search[one.name] ?? ""}
            onChange={(event) => setSearch({ [one.name]: event.currentTarget.value || undefined })}
          />
        ) : (
          <Find
            key={one.name}
            label={one.name}
            width={130}
            value={search[one.name]}
            onChange={(value) => setSearch({ [one.name]: value })}
          />
        ),
      )}
    >
      <Panel
        title="Answer"
        flush
        note={query.data ? count(table.rows.length, "row") : null}
        actions={
          <Button
            component="a"
            variant="default"
            download
            href={address(get("/views/{system}/{view}", { system, view }, { ...given, format: "csv" }))}
          >
            CSV
          </Button>
        }
      >
        <Answer query={views}>
          {() => (
            <Answer query={query}>{() => <ViewTable label={known?.title ?? view} table={table} height={600} />}</Answer>
          )}
        </Answer>
      </Panel>
    </Page>
  );
}
