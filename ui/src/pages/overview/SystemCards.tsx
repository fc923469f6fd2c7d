// One line for each system: what it is for, how it stands, its last run, and the page where one works with it.
import { Anchor, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Run, SystemInfo } from "../../api/types";
import { count } from "../../parts/format";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { RunStatus } from "../runs/columns";
import { type OverviewAnswer, overviewOf, type SystemOverview } from "./types";

/** Systems that have a page of their own, beside what all have. */
const OWN_PAGES: Record<string, { title: string; to: string }> = {
  gauges: { title: "Gauge sets", to: "/gauges" },
  luckygas: { title: "Pilot", to: "/pilot" },
  opencode: { title: "Agent sessions", to: "/sessions" },
  pfa: { title: "Equipment plans", to: "/records/pfa" },
};

export function SystemCards({
  systems,
  overview,
  runs,
}: {
  systems: SystemInfo[];
  overview: OverviewAnswer | null;
  runs: Run[];
}) {
  const told = overviewOf(overview);
  const known = new Map(told.map((one) => [one.system, one]));
  // Analytical systems have no changes to plan and stand in the overview alone.
  const others = told.filter((one) => !systems.some((system) => system.name === one.system));
  const all = [
    ...systems.map(({ name, title }) => ({ name, title })),
    ...others.map((one) => ({ name: one.system, title: one.title ?? "" })),
  ];
  return (
    <ul style={{ listStyle: "none", margin: 0, padding: 0 }}>
      {all.map((system) => {
        const about = known.get(system.name);
        const own = OWN_PAGES[system.name];
        const last = about?.last_run ?? runs.find((run) => run.system === system.name);
        return (
          <li key={system.name} style={{ borderBottom: "1px solid var(--pl-line)", padding: "10px 14px" }}>
            <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
              <div style={{ minWidth: 0 }}>
                <Group gap={10}>
                  <Anchor component={Link} to={href.system(system.name)} fw={600} c="inherit">
                    {system.name}
                  </Anchor>
                  {about?.health ? <Status word={about.health} /> : null}
                </Group>
                <Text c="dimmed">{system.title}</Text>
                <Group gap="md" mt={4}>
                  {last ? (
                    <Group gap={6}>
                      <Text size="xs" c="dimmed">
                        last run
                      </Text>
                      <Anchor component={Link} to={href.run(last.id)} c="inherit">
                        {last.change}
                      </Anchor>
                      <span style={{ fontSize: 12 }}>
                        <RunStatus run={last} />
                      </span>
                      <Text size="xs" c="dimmed">
                        <Time at={last.started_at} form="ago" />
                      </Text>
                    </Group>
                  ) : (
                    <Text size="xs" c="dimmed">
                      no run yet
                    </Text>
                  )}
                  {about ? <Numbers about={about} /> : null}
                </Group>
              </div>
              {own ? (
                <Anchor component={Link} to={own.to} style={{ whiteSpace: "nowrap" }}>
                  {own.title}
                </Anchor>
              ) : null}
            </Group>
          </li>
        );
      })}
    </ul>
  );
}

function Numbers({ about }: { about: SystemOverview }) {
  const figures: [one: string, many: string, number | undefined][] = [
    ["in quarantine", "in quarantine", about.open_quarantine ?? about.quarantine],
    ["failed check", "failed checks", about.failed_checks],
    ["open conflict", "open conflicts", about.open_conflicts ?? about.conflicts],
    ["run", "runs", about.runs],
    ["plan", "plans", about.plans],
  ];
  return (
    <>
      {figures
        .filter(([, , value]) => value !== undefined && value !== null)
        .map(([one, many, value]) => (
          <Text key={one} size="xs" className="num">
            {count(value, one, many)}
          </Text>
        ))}
    </>
  );
}
