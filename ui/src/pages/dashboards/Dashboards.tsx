// All dashboards, by area.
import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List } from "../../api/types";
import { Find } from "../../parts/Filters";
import { count } from "../../parts/format";
import { Callout, Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import type { DashboardLine } from "./types";

export function Dashboards() {
  const [search, setSearch] = useFilters();
  const query = useApi<List<DashboardLine> & { problems: string[] }>(get("/dashboards"), { every: false });
  const all = query.data?.items ?? [];
  const problems = query.data?.problems ?? [];
  const shown = all.filter(
    (one) =>
      !search.find || `${one.title} ${one.dashboard} ${one.about}`.toLowerCase().includes(search.find.toLowerCase()),
  );
  const areas = [...new Set(shown.map((one) => one.system ?? "platform"))].sort();
  return (
    <Page
      title="Dashboards"
      about="Each is a file over named views, so that a figure means the same wherever it stands."
      actions={<Find label="Find a dashboard" value={search.find} onChange={(find) => setSearch({ find })} />}
    >
      {problems.length > 0 ? (
        <Callout tone="warn" title="A file of yours is wrong">
          <pre className="plain">{problems.join("\n")}</pre>
        </Callout>
      ) : null}
      <Answer query={query}>
        {() =>
          shown.length === 0 ? (
            <Empty title="No dashboards" />
          ) : (
            areas.map((area) => {
              const own = shown.filter((one) => (one.system ?? "platform") === area);
              return (
                <Panel key={area} title={area} note={count(own.length, "dashboard")}>
                  <div
                    style={{
                      display: "grid",
                      gap: "8px 24px",
                      gridTemplateColumns: "repeat(auto-fill, minmax(240px, 1fr))",
                    }}
                  >
                    {own.map((one) => (
                      <div key={one.dashboard}>
                        <Anchor component={Link} to={href.dashboard(one.dashboard)} fw={550}>
                          {one.title}
                        </Anchor>
                        <Text size="xs" c="dimmed">
                          {one.about || count(one.panels, "panel")}
                        </Text>
                      </div>
                    ))}
                  </div>
                </Panel>
              );
            })
          )
        }
      </Answer>
    </Page>
  );
}
