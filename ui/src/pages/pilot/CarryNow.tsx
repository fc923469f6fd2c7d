// Doing what waits: changes are carried both ways, and what the stages order is done, until nothing is left or the time is
// over. A worker (`plimsoll pilot run --watch`) does it by itself; without one, members wait for this.
import { Button, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { asFailure } from "../../api/failure";
import { post } from "../../api/request";
import { count } from "../../parts/format";
import { PILOT } from "./types";

interface Driven {
  orders: number;
  moved: number;
  /** Members whom something stops, and what. */
  stopped: [string, string][];
  finished: boolean;
  dry_run: false;
}

export function CarryNow({ disabled }: { disabled: boolean }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const carry = async () => {
    setBusy(true);
    try {
      const done = await api.send<Driven>(post("/systems/{system}/pilot/run", PILOT, {}));
      await client.invalidateQueries();
      notifications.show({
        title: done.finished ? "Everything that waited is done" : "More is left; carry again",
        message: [
          `${count(done.orders, "order")} done, ${count(done.moved, "member")} moved`,
          ...done.stopped.slice(0, 3).map(([customer, why]) => `${customer}: ${why}`),
        ].join("; "),
      });
    } catch (error) {
      notifications.show({ title: "Nothing was carried", message: asFailure(error).message, color: "red.9" });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Tooltip label="Changes are carried both ways, and what the stages order is done">
      <Button variant="default" disabled={disabled} loading={busy} onClick={() => void carry()}>
        Carry now
      </Button>
    </Tooltip>
  );
}
