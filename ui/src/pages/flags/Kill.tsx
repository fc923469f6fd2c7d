// The kill switch and the proof that it arrived: who follows the flags, and who has acknowledged a version.
import { Text } from "@mantine/core";
import { api } from "../../api/client";
import type { Arrival, Flag, FlagChange, FlagClient } from "../../api/flags";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import { Act } from "../../parts/Act";
import { count, duration, number } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Moves } from "./ChangeFlag";

/** The sentence that the command prints too; only what was measured is in it. */
export function arrivalSentence(arrival: Arrival): string {
  if (arrival.clients === 0) return "No client follows the flags; programs learn of it when they ask again.";
  const slowest = arrival.slowest && (arrival.slowest.name || arrival.slowest.client);
  const after = arrival.after_ms === null ? "" : ` after ${duration(arrival.after_ms)}`;
  return `${number(arrival.acknowledged)} of ${count(arrival.clients, "client")} have it${after}${slowest ? `, slowest ${slowest}` : ""}.`;
}

export function Kill({ flag, opened, onClose }: { flag: Flag; opened: boolean; onClose: () => void }) {
  return (
    <Act<FlagChange>
      opened={opened}
      onClose={onClose}
      title={`Kill ${flag.flag.name}`}
      about="Off for everybody, at once, until it is turned on again. Clients that follow the flags acknowledge it."
      confirm="Kill the flag"
      danger
      send={(reason, dry) => api.send(post("/flags/{flag}/kill", { flag: flag.flag.name }, { reason, dry_run: dry }))}
      preview={(answer) => <Moves difference={answer.difference} findings={answer.findings} />}
    />
  );
}

export function Followers({ version }: { version: number }) {
  const clients = useApi<FlagClient[]>(get("/flag-clients"), { every: 5 });
  const arrival = useApi<Arrival>(get("/flag-versions/{version}/arrival", { version }, { wait_ms: 0 }), {
    every: 5,
    enabled: (clients.data?.length ?? 0) > 0,
  });
  return (
    <Panel title="Who follows the flags" note={clients.data ? count(clients.data.length, "client") : null}>
      <Answer query={clients}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No client follows the flags now">
              A program that opens the stream of OFREP with <code>acknowledge=true</code> appears here, and a kill shows
              when it arrived.
            </Empty>
          ) : (
            <>
              {arrival.data ? <Text fw={550}>{arrivalSentence(arrival.data)}</Text> : null}
              <ul style={{ margin: "8px 0 0", paddingLeft: 0, listStyle: "none" }}>
                {list.map((one) => {
                  const has = (one.acknowledged_version ?? 0) >= version;
                  return (
                    <li key={one.client} style={{ padding: "3px 0", fontSize: 13 }}>
                      <Status
                        word={has ? "good" : "waiting"}
                        tone={has ? "good" : "idle"}
                        label={one.name || one.client}
                      />
                    </li>
                  );
                })}
              </ul>
            </>
          )
        }
      </Answer>
    </Panel>
  );
}
