// Any change of a flag: first who would enter, leave and swap, then the change, with the way back.
import { Checkbox, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { api } from "../../api/client";
import type { Difference, Finding, Flag, FlagChange } from "../../api/flags";
import { post } from "../../api/request";
import { Act } from "../../parts/Act";
import { number } from "../../parts/format";

export interface Wish {
  title: string;
  confirm: string;
  body: { definition?: Record<string, unknown>; percent?: number };
  about?: string;
}

export function ChangeFlag({ flag, wish, onClose }: { flag: Flag; wish: Wish; onClose: () => void }) {
  const [swap, setSwap] = useState(false);
  return (
    <Act<FlagChange>
      opened
      onClose={onClose}
      title={wish.title}
      about={wish.about ?? `${flag.flag.name}, version ${flag.version}`}
      confirm={wish.confirm}
      basis={JSON.stringify([wish.body, swap])}
      send={(reason, dry) =>
        api.send(
          post(
            "/flags/{flag}/set",
            { flag: flag.flag.name },
            {
              ...wish.body,
              reason,
              dry_run: dry,
              ...(swap ? { override_swap: true } : {}),
            },
          ),
        )
      }
      preview={(answer) => <Moves difference={answer.difference} findings={answer.findings} />}
    >
      <Checkbox
        label="Let members of a live flag be swapped"
        description="Without this a change that moves somebody from one side to the other is refused. The override is in the log."
        checked={swap}
        onChange={(event) => setSwap(event.currentTarget.checked)}
      />
    </Act>
  );
}

const SHOWN = 60;

/** Who enters, who leaves, who is swapped. */
export function Moves({ difference, findings }: { difference: Difference; findings: Finding[] }) {
  const of = difference.exact
    ? `of ${number(difference.of)} known keys`
    : `estimated on ${number(difference.of)} made-up keys`;
  return (
    <Stack gap={8} className="panel" p="sm">
      <Text fw={550}>
        {number(difference.enter.length)} enter, {number(difference.leave.length)} leave,{" "}
        {number(difference.switch.length)} swap, {number(difference.stay)} stay{" "}
        <Text span c="dimmed">
          ({of})
        </Text>
      </Text>
      {difference.exact ? (
        <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
          <Who title="Enter" keys={difference.enter} />
          <Who title="Leave" keys={difference.leave} />
          <Who title="Swap" keys={difference.switch} />
        </SimpleGrid>
      ) : null}
      {findings.map(({ severity, place, what }) => (
        <Text key={`${place} ${what}`} size="xs">
          {severity}: {place}: {what}
        </Text>
      ))}
    </Stack>
  );
}

function Who({ title, keys }: { title: string; keys: string[] }) {
  return (
    <div>
      <Group gap={6}>
        <Text size="xs" c="dimmed">
          {title}
        </Text>
        <Text size="xs" className="num">
          {number(keys.length)}
        </Text>
      </Group>
      <Text size="xs" className="mono" style={{ maxHeight: 110, overflow: "auto", overflowWrap: "anywhere" }}>
        {keys.slice(0, SHOWN).join(", ") || "nobody"}
        {keys.length > SHOWN ? ` and ${number(keys.length - SHOWN)} more` : ""}
      </Text>
    </div>
  );
}
