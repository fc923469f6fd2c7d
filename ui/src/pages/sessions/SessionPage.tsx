// One session: its figures, its trace on a line of time, its transcript, its errors and what its tools did.
import { Group, Tabs, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { num, str, tableOf, type ViewAnswer } from "../../api/views";
import { measured, number } from "../../parts/format";
import { Facts, Page, Panel, Stats } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { ViewCsv, ViewTable } from "../../parts/ViewTable";
import { TraceTimeline } from "./TraceTimeline";
import { Transcript } from "./Transcript";
import { exchangesOf } from "./trace";

const TABLES = [
  { tab: "tools", view: "tool-performance", title: "Tools" },
  { tab: "steps", view: "cost-by-step", title: "Steps" },
  { tab: "errors", view: "error-list", title: "Errors" },
  { tab: "files", view: "files-by-path", title: "Files" },
  { tab: "security", view: "security-findings", title: "Security" },
] as const;

/** A view of one session, asked once. */
function useView(view: string, asked: { session: string; limit?: number }) {
  return useApi<ViewAnswer>(get("/views/{system}/{view}", { system: "opencode", view }, asked), { every: false });
}

export function SessionPage() {
  const { session = "" } = useParams({ strict: false }) as { session?: string };
  const [search, setSearch] = useFilters();
  const details = useView("session-details", { session });
  const about = useMemo(() => tableOf(details.data).rows[0], [details.data]);
  const timeline = useView("session-timeline", { session, limit: 1000 });
  const prompts = useView("exchanges", { session, limit: 1000 });
  const exchanges = useMemo(() => exchangesOf(tableOf(timeline.data).rows), [timeline.data]);
  const asked = useMemo(
    () => new Map(tableOf(prompts.data).rows.map((row) => [num(row.exchange_number) ?? 0, str(row.prompt)])),
    [prompts.data],
  );
  const tab = search.tab ?? "trace";
  return (
    <Page
      title={str(about?.title) || session}
      crumbs={[{ title: "Agent sessions", to: "/sessions" }]}
      about={
        about ? (
          <Group gap={10}>
            <Status word={str(about.status) || "unknown"} />
            <span className="mono">{str(about.root_path)}</span>
            <Time at={str(about.time_created)} />
          </Group>
        ) : null
      }
    >
      <Answer query={details}>
        {() => (
          <>
            <Stats
              figures={[
                { label: "Exchanges", value: number(num(about?.exchanges) ?? exchanges.length) },
                { label: "Tool calls", value: number(num(about?.tool_calls)) },
                { label: "Errors", value: number(num(about?.errors)) },
                { label: "Cost", value: measured(num(about?.["cost.stored"]), "USD") },
                { label: "At list price", value: measured(num(about?.["cost.list"]), "USD") },
                { label: "Tokens", value: number(exchanges.reduce((sum, one) => sum + one.tokens, 0)) },
              ]}
            />
            <Tabs value={tab} onChange={(to) => setSearch({ tab: to ?? undefined })} keepMounted={false}>
              <Tabs.List>
                <Tabs.Tab value="trace">Trace</Tabs.Tab>
                <Tabs.Tab value="transcript">Transcript</Tabs.Tab>
                {TABLES.map((one) => (
                  <Tabs.Tab key={one.tab} value={one.tab}>
                    {one.title}
                  </Tabs.Tab>
                ))}
                <Tabs.Tab value="facts">Facts</Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="trace" pt={12}>
                <Panel
                  title="Trace"
                  flush
                  note="each exchange on its own line of time"
                  actions={<ViewCsv table={tableOf(timeline.data)} file={`trace-${session}`} />}
                >
                  <Answer query={timeline}>{() => <TraceTimeline exchanges={exchanges} prompts={asked} />}</Answer>
                </Panel>
              </Tabs.Panel>
              <Tabs.Panel value="transcript" pt={12}>
                <Transcript session={session} />
              </Tabs.Panel>
              {TABLES.map((one) => (
                <Tabs.Panel key={one.tab} value={one.tab} pt={12}>
                  <OfView session={session} view={one.view} title={one.title} />
                </Tabs.Panel>
              ))}
              <Tabs.Panel value="facts" pt={12}>
                <Panel title="Everything that is known of the session">
                  <Facts
                    facts={Object.entries(about ?? {}).map(([name, value]) => [
                      name.replaceAll("_", " "),
                      str(value) || "unknown",
                    ])}
                  />
                </Panel>
              </Tabs.Panel>
            </Tabs>
          </>
        )}
      </Answer>
    </Page>
  );
}

function OfView({ session, view, title }: { session: string; view: string; title: string }) {
  const query = useView(view, { session });
  const table = useMemo(() => tableOf(query.data), [query.data]);
  return (
    <Panel title={title} flush actions={<ViewCsv table={table} file={`${view}-${session}`} />}>
      <Answer query={query}>
        {() => (
          <ViewTable label={title} table={table} height={520} empty={`No ${title.toLowerCase()} in this session`} />
        )}
      </Answer>
      <Text size="xs" c="dimmed" p={8}>
        view <code>{view}</code>
      </Text>
    </Panel>
  );
}
