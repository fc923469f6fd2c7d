// One line for each system: what it is for, how it stands, its last run, and the page where one works with it.
import { Anchor, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { count } from "../../parts/format";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { RunStatus } from "../runs/columns";
import type { SystemOverview } from "./types";

/** Systems that have a page of their own, beside what all have. */
const OWN_PAGES: Record<string, { title: string; to: string }> = {
  gauges: { title: "Gauge sets", to: "/gauges" },
  luckygas: { title: "Pilot", to: "/pilot" },
  opencode: { title: "Agent sessions", to: "/sessions" },
  pfa: { title: "Equipment plans", to: "/records/pfa" },
};

export function SystemCards({ systems }: { systems: SystemOverview[] }) {
  return (
    <ul style={{ listStyle: "none", margin: 0, padding: 0 }}>
      {systems.map((one) => {
        const own = OWN_PAGES[one.system];
        const last = one.last_run;
        return (
          <li key={one.system} style={{ borderBottom: "1px solid var(--pl-line)", padding: "10px 14px" }}>
            <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
              <div style={{ minWidth: 0 }}>
                <Group gap={10}>
                  <Name of={one} />
                  <Status word={one.health} />
                </Group>
                <Text c="dimmed">{one.title}</Text>
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
                  <Numbers of={one} />
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

/** An analytical system has no changes, and so no page of a system: its own page stands for it. */
function Name({ of }: { of: SystemOverview }) {
  const to = of.kind === "analytic" ? OWN_PAGES[of.system]?.to : href.system(of.system);
  if (!to) return <Text fw={600}>{of.system}</Text>;
  return (
    <Anchor component={Link} to={to} fw={600} c="inherit">
      {of.system}
    </Anchor>
  );
}

function Numbers({ of }: { of: SystemOverview }) {
  const figures: [one: string, many: string, value: number][] = [
    ["in quarantine", "in quarantine", of.open_quarantine],
    ["failed check", "failed checks", of.failed_checks],
    ["open conflict", "open conflicts", of.open_conflicts],
  ];
  if (of.kind !== "analytic") figures.push(["run", "runs", of.runs], ["plan", "plans", of.plans]);
  return (
    <>
      {figures.map(([one, many, value]) => (
        <Text key={one} size="xs" className="num">
          {count(value, one, many)}
        </Text>
      ))}
    </>
  );
}
