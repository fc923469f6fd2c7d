// What waits for a person, the most urgent first; each line leads to where it is settled.
import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { LinkStatus } from "../../api/sync";
import { count, duration } from "../../parts/format";
import { Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import type { SystemOverview } from "./types";

export function Attention({ systems, quarantine }: { systems: SystemOverview[]; quarantine: number }) {
  const lines = [
    ...systems.filter((one) => one.failed_checks > 0).map((one) => <Failed key={`checks ${one.system}`} of={one} />),
    ...(quarantine > 0
      ? [
          <Line key="quarantine" to="/quarantine" word="quarantined">
            {count(quarantine, "item")} in quarantine
          </Line>,
        ]
      : []),
    ...systems.flatMap((one) => (one.kind !== "analytic" && one.sync ? ofLink(one.system, one.sync) : [])),
  ];
  if (lines.length === 0) return <Empty title="Nothing waits for you" />;
  return <ul style={{ listStyle: "none", margin: 0, padding: 0 }}>{lines}</ul>;
}

function Failed({ of }: { of: SystemOverview }) {
  return (
    <Line to={`/checks?system=${encodeURIComponent(of.system)}`} word="failed">
      {count(of.failed_checks, "check")} of {of.system} failed
    </Line>
  );
}

/** What a link asks of people: decisions first, then what did not arrive, then what is on its way. */
function ofLink(system: string, { conflicts, due, edits, oldest_ms }: LinkStatus): ReactNode[] {
  const { failed = 0, limbo = 0 } = edits;
  const line = (many: number, word: string, to: string, says: ReactNode) =>
    many > 0
      ? [
          <Line key={`${word} ${system}`} to={to} word={word}>
            {says}
          </Line>,
        ]
      : [];
  return [
    ...line(conflicts, "conflict", href.conflicts(system), `${count(conflicts, "conflict")} of ${system} to decide`),
    ...line(failed, "dead_letter", href.sync(system), `${count(failed, "edit")} of ${system} refused by the remote`),
    ...line(limbo, "limbo", href.sync(system), `${count(limbo, "edit")} of ${system} with no known outcome`),
    ...line(
      due,
      "queued",
      href.sync(system),
      `${count(due, "edit")} of ${system} to send, the oldest for ${duration(oldest_ms)}`,
    ),
  ];
}

function Line({ to, word, children }: { to: string; word: string; children: ReactNode }) {
  return (
    <li style={{ borderBottom: "1px solid var(--pl-line)", padding: "9px 14px" }}>
      <Anchor component={Link} to={to} c="inherit" underline="hover" display="block">
        <Status word={word} />
        <Text>{children}</Text>
      </Anchor>
    </li>
  );
}
