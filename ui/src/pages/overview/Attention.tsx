// What waits for a person, the most urgent first; each line leads to where it is settled.
import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { SyncStatus } from "../../api/sync";
import type { SystemInfo } from "../../api/types";
import { count, duration } from "../../parts/format";
import { Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import { type OverviewAnswer, overviewOf } from "./types";

export function Attention({
  systems,
  quarantine,
  overview,
}: {
  systems: SystemInfo[];
  quarantine: number | undefined;
  overview: OverviewAnswer | null;
}) {
  const linked = systems.filter((one) => one.link);
  const failed = overviewOf(overview).filter((one) => (one.failed_checks ?? 0) > 0);
  return (
    <ul style={{ listStyle: "none", margin: 0, padding: 0 }}>
      {failed.map((one) => (
        <Line key={one.system} to={`/checks?system=${encodeURIComponent(one.system)}`} word="failed">
          {count(one.failed_checks, "check")} of {one.system} failed
        </Line>
      ))}
      {quarantine ? (
        <Line to="/quarantine" word="quarantined">
          {count(quarantine, "item")} in quarantine
        </Line>
      ) : null}
      {linked.map((system) => (
        <OfLink key={system.name} system={system.name} />
      ))}
      {!quarantine && linked.length === 0 && failed.length === 0 ? <Empty title="Nothing waits for you" /> : null}
    </ul>
  );
}

function OfLink({ system }: { system: string }) {
  const sync = useApi<SyncStatus>(get("/systems/{system}/sync", { system }));
  const status = sync.data?.status;
  if (!status) return null;
  const edits = status.edits;
  return (
    <>
      {status.conflicts > 0 ? (
        <Line to={href.conflicts(system)} word="conflict">
          {count(status.conflicts, "conflict")} of {system} to decide
        </Line>
      ) : null}
      {(edits.failed ?? 0) > 0 ? (
        <Line to={href.sync(system)} word="dead_letter">
          {count(edits.failed, "edit")} of {system} refused by the remote
        </Line>
      ) : null}
      {(edits.limbo ?? 0) > 0 ? (
        <Line to={href.sync(system)} word="limbo">
          {count(edits.limbo, "edit")} of {system} with no known outcome
        </Line>
      ) : null}
      {status.due > 0 ? (
        <Line to={href.sync(system)} word="queued">
          {count(status.due, "edit")} of {system} to send, the oldest for {duration(status.oldest_ms)}
        </Line>
      ) : null}
    </>
  );
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
