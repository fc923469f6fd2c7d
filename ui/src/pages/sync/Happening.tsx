// What happens to the records of a link, as it happens.
import { Anchor, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useEvents } from "../../api/events";
import { get } from "../../api/request";
import type { SyncEvent, SyncReset } from "../../api/sync";
import { detailText } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Scroll } from "../../parts/Scroll";
import { Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";

/** The kinds that docs/guide/server.md names. */
export const SYNC_EVENTS = [
  "changed",
  "queued",
  "sent",
  "arrived",
  "limbo",
  "conflict",
  "decided",
  "conflict_closed",
  "dead_letter",
  "pulled",
  "pull_failed",
  "postponed",
  "refused",
  "read_back",
  "discarded",
  "draft",
  "committed",
  "reset",
] as const;

const KEPT = 60;

export function Happening({ system }: { system: string }) {
  const client = useQueryClient();
  const [events, setEvents] = useState<(SyncEvent | SyncReset)[]>([]);
  const below = get("/systems/{system}", { system }).route;
  const state = useEvents(get("/systems/{system}/events", { system }), SYNC_EVENTS, (_kind, data) => {
    const event = data as SyncEvent | SyncReset;
    setEvents((before) => [event, ...before].slice(0, KEPT));
    void client.invalidateQueries({
      predicate: ({ queryKey }) => String(queryKey[0]).startsWith(below),
    });
  });
  return (
    <Panel
      title="Live"
      flush
      className="w4"
      note={
        <Status
          word={state}
          tone={state === "live" ? "busy" : "idle"}
          label={state === "live" ? "following" : state === "lost" ? "reconnecting" : state}
        />
      }
    >
      <Scroll label="Live events" height={340} grows live>
        {events.length === 0 ? (
          <Empty title="Nothing has happened since you came">Edits, pulls and answers of the remote appear here.</Empty>
        ) : null}
        {events.map((event) => (
          <div key={event.id} style={{ padding: "6px 12px", borderBottom: "1px solid var(--pl-line)" }}>
            <Text size="xs" c="dimmed">
              <Time at={event.at} form="full" /> {"actor" in event ? `· ${event.actor}` : ""}
            </Text>
            <Text>
              <b>{event.kind.replaceAll("_", " ")}</b>{" "}
              {"key" in event && event.key ? (
                <Anchor component={Link} to={href.record(system, event.key)} className="mono">
                  {event.key}
                </Anchor>
              ) : null}{" "}
              {"detail" in event ? detailText(event.detail) : ""}
            </Text>
          </div>
        ))}
      </Scroll>
    </Panel>
  );
}
