// One dialog for both ways in which a set ends: unpair and retire (GS-17).
import { Text } from "@mantine/core";
import { api, path } from "../../api/client";
import type { Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { Callout } from "../../parts/Page";
import type { GaugeSet } from "./types";

export type SetAction = "unpair" | "retire";

const WORDS: Record<SetAction, { title: string; confirm: string; says: string; least: number }> = {
  unpair: {
    title: "Unpair",
    confirm: "Unpair the set",
    says: "Both gauges become spares. The set ends, and its ID is used up: it is never given out again.",
    least: 1,
  },
  retire: {
    title: "Retire",
    confirm: "Retire the set",
    says: "Both gauges are retired for good and keep the ID of the set. It is never given out again.",
    least: 10,
  },
};

export function SetActionModal({
  set,
  action,
  opened,
  onClose,
}: {
  set: GaugeSet;
  action: SetAction;
  opened: boolean;
  onClose: () => void;
}) {
  const words = WORDS[action];
  return (
    <Act<Undoable>
      opened={opened}
      onClose={onClose}
      title={`${words.title} ${set.set_id}`}
      confirm={words.confirm}
      danger
      leastReason={words.least}
      send={(reason, dry) => api.post(path("gauge-sets", set.set_id, action), { reason, dry_run: dry })}
      preview={() => <Text>Every rule allows it.</Text>}
    >
      <Callout tone="warn" title={words.title}>
        <Text>{words.says}</Text>
        <Text mt={4}>Members: {set.members.map((one) => one.serial).join(", ") || "none"}</Text>
      </Callout>
    </Act>
  );
}
