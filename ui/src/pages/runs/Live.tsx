// A run as it goes on: done of all, rate, time left. Comes over the stream of the run; without one, the page asks again.
import { Group, Progress, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useEvents } from "../../api/events";
import { get } from "../../api/request";
import type { Run, RunStatus, Tally } from "../../api/types";
import { duration, number, percent } from "../../parts/format";

/** An event `progress`. Without anything to measure there is neither a rate nor a time left. */
interface Progressed {
  done: number;
  total: number;
  batches: number;
  rate: number | null;
  eta_seconds: number | null;
  tally: Tally;
  status: RunStatus;
}

const KINDS = ["progress", "batch", "status", "end"] as const;

export function Live({ run }: { run: Run }) {
  const client = useQueryClient();
  const [now, setNow] = useState<Progressed | null>(null);
  const state = useEvents(get("/runs/{run}/events", { run: run.id }), KINDS, (kind, data) => {
    if (kind === "progress") setNow(data as Progressed);
    else void client.invalidateQueries({ queryKey: [get("/runs/{run}", { run: run.id }).route] });
  });
  const { applied, noop, conflicted, quarantined, skipped, planned } = run.tally;
  const done = now?.done ?? applied + noop + conflicted + quarantined + skipped;
  const total = now?.total ?? planned;
  const share = total > 0 ? done / total : 0;
  return (
    <div style={{ marginTop: 14 }} aria-live="polite">
      <Progress value={share * 100} size="sm" aria-label="Share of the run that is done" animated={state === "live"} />
      <Group gap="lg" mt={6}>
        <Text className="num">
          {number(done)} of {number(total)} ({percent(share, 0)})
        </Text>
        {now?.rate ? <Text className="num">{number(now.rate)} items/s</Text> : null}
        {now && now.eta_seconds !== null ? <Text className="num">{duration(now.eta_seconds * 1000)} left</Text> : null}
        <Text c="dimmed">
          {state === "live" ? "live" : state === "lost" ? "the stream is lost; trying again" : "asking every 5 s"}
        </Text>
      </Group>
    </div>
  );
}
