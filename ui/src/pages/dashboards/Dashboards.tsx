// All dashboards, by area.
import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import type { List } from "../../api/types";
import { Find } from "../../parts/Filters";
import { count } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { type Dashboard, rowsOf } from "./types";

export function Dashboards() {
  const [search, setSearch] = useFilters();
  const query = useApi<Dashboard[] | List<Dashboard>>("/dashboards", { limit: 1000 }, { every: false });
  const all = Array.isArray(query.data) ? query.data : (query.data?.items ?? []);
  const shown = all.filter(
    (one) =>
      !search.find ||
      `${one.title} ${one.name} ${one.about ?? one.help ?? ""}`.toLowerCase().includes(search.find.toLowerCase()),
  );
  const areas = [...new Set(shown.map((one) => one.area ?? one.system ?? "other"))].sort();
  return (
    <Page
      title="Dashboards"
      about="Each is a file over named views, so that a figure means the same wherever it stands."
      actions={<Find label="Find a dashboard" value={search.find} onChange={(find) => setSearch({ find })} />}
    >
      <Answer query={query}>
        {() =>
          shown.length === 0 ? (
            <Empty title="No dashboards" />
          ) : (
            areas.map((area) => {
              const own = shown.filter((one) => (one.area ?? one.system ?? "other") === area);
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
                      <div key={one.name ?? one.id}>
                        <Anchor component={Link} to={href.dashboard(one.name ?? one.id ?? "")} fw={550}>
                          {one.title}
                        </Anchor>
                        <Text size="xs" c="dimmed">
                          {one.about ??
                            one.help ??
                            (rowsOf(one).length ? count(rowsOf(one).flatMap((row) => row.panels).length, "panel") : "")}
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
