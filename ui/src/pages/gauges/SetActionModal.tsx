// One dialog for both ways in which a set ends: unpair and retire (GS-17).
import { Text } from "@mantine/core";
import { api } from "../../api/client";
import { type ApiRequest, post } from "../../api/request";
import { Act } from "../../parts/Act";
import { Callout } from "../../parts/Page";
import type { GaugeSet, Operated } from "./types";

export type SetAction = "unpair" | "retire";

interface Words {
  title: string;
  confirm: string;
  says: string;
  least: number;
  request: (of: { set: string }, body: { reason: string; dry_run: boolean }) => ApiRequest;
}

const WORDS: Record<SetAction, Words> = {
  unpair: {
    title: "Unpair",
    confirm: "Unpair the set",
    says: "Both gauges become spares. The set ends, and its ID is used up: it is never given out again.",
    least: 1,
    request: (of, body) => post("/gauge-sets/{set}/unpair", of, body),
  },
  retire: {
    title: "Retire",
    confirm: "Retire the set",
    says: "Both gauges are retired for good and keep the ID of the set. It is never given out again.",
    least: 10,
    request: (of, body) => post("/gauge-sets/{set}/retire", of, body),
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
    <Act<Operated>
      opened={opened}
      onClose={onClose}
      title={`${words.title} ${set.set_id}`}
      confirm={words.confirm}
      danger
      leastReason={words.least}
      send={(reason, dry) => api.send(words.request({ set: set.set_id }, { reason, dry_run: dry }))}
      preview={() => <Text>Every rule allows it.</Text>}
    >
      <Callout tone="warn" title={words.title}>
        <Text>{words.says}</Text>
        <Text mt={4}>Members: {set.members.map((one) => one.serial).join(", ") || "none"}</Text>
      </Callout>
    </Act>
  );
}
