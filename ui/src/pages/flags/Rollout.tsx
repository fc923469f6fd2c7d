// Who gets the flag: its percentage with a slider that previews, and the keys that are allowed or denied by name.
import { Button, Group, NumberInput, Slider, Stack, TagsInput, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { api } from "../../api/client";
import type { Flag, FlagChange } from "../../api/flags";
import { post } from "../../api/request";
import { Act } from "../../parts/Act";
import { number } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { useSession } from "../../shell/session";
import { Moves, type Wish } from "./ChangeFlag";

export function Rollout({ flag, onWish }: { flag: Flag; onWish: (wish: Wish) => void }) {
  const now = flag.flag.rollout?.percent ?? (flag.flag.state === "on" ? 100 : 0);
  const [percent, setPercent] = useState<number>(now);
  useEffect(() => setPercent(now), [now]);
  const { can } = useSession();
  const { rules, rollout } = flag.flag;
  const { stages, constraints, segments } = rollout ?? {};
  const name = "Share of keys that get the flag, in percent";
  return (
    <Panel
      title="Rollout"
      note={flag.flag.rollout ? `${number(now)} % by ${flag.flag.rollout.algorithm}` : "no percentage"}
    >
      <Stack gap="md">
        <Group gap="md" align="center" wrap="nowrap">
          <Slider
            value={percent}
            onChange={setPercent}
            min={0}
            max={100}
            step={1}
            style={{ flex: 1 }}
            thumbLabel={name}
            label={(value) => `${value} %`}
            marks={[0, 10, 25, 50, 75, 100].map((value) => ({ value, label: `${value}` }))}
            mb={18}
          />
          <NumberInput
            aria-label={name}
            value={percent}
            onChange={(value) => setPercent(typeof value === "number" ? value : 0)}
            min={0}
            max={100}
            suffix=" %"
            w={84}
          />
        </Group>
        <Group gap={8}>
          <Button
            disabled={!can("operator") || percent === now}
            onClick={() =>
              onWish({
                title: `Change the rollout from ${number(now)} % to ${number(percent)} %`,
                confirm: `Set ${number(percent)} %`,
                body: { percent },
              })
            }
          >
            Change to {number(percent)} %…
          </Button>
          <Text c="dimmed">Growth keeps every member there is. The preview names who enters and who leaves.</Text>
        </Group>
        {rules?.length || constraints?.length || segments?.length || stages?.length ? (
          <pre className="plain">{JSON.stringify({ stages, constraints, segments, rules }, null, 2)}</pre>
        ) : null}
      </Stack>
    </Panel>
  );
}

type Listed = "allow" | "deny";

export function Keys({ flag }: { flag: Flag }) {
  const { can } = useSession();
  const [doing, setDoing] = useState<{ list: Listed; remove: boolean } | null>(null);
  const [keys, setKeys] = useState<string[]>([]);
  const allowed = Object.keys(flag.flag.allow ?? {});
  const denied = flag.flag.deny ?? [];
  const begin = (list: Listed, remove: boolean, given: string[] = []) => {
    setKeys(given);
    setDoing({ list, remove });
  };
  return (
    <Panel title="By name" note="comes before the percentage">
      <Stack gap="sm">
        {(
          [
            ["Denied", "deny", denied],
            ["Allowed", "allow", allowed],
          ] as const
        ).map(([title, list, named]) => (
          <div key={list}>
            <Group gap={8} mb={4}>
              <Text fw={550}>{title}</Text>
              <Text c="dimmed" className="num">
                {number(named.length)}
              </Text>
              <Group gap={6} ml="auto">
                <Button
                  size="compact-xs"
                  variant="default"
                  disabled={!can("operator")}
                  onClick={() => begin(list, false)}
                >
                  Add
                </Button>
                <Button
                  size="compact-xs"
                  variant="default"
                  disabled={!can("operator") || named.length === 0}
                  onClick={() => begin(list, true)}
                >
                  Remove
                </Button>
              </Group>
            </Group>
            <Text className="mono" size="xs" style={{ maxHeight: 92, overflow: "auto", overflowWrap: "anywhere" }}>
              {named.join(", ") || "nobody"}
            </Text>
          </div>
        ))}
      </Stack>
      {doing ? (
        <Act<FlagChange>
          opened
          onClose={() => setDoing(null)}
          title={`${doing.remove ? "Remove from" : "Add to"} the ${doing.list} list`}
          confirm={doing.remove ? "Remove" : "Add"}
          ready={keys.length > 0}
          basis={keys.join("\n")}
          send={(reason, dry) => {
            const of = { flag: flag.flag.name };
            const { remove } = doing;
            return api.send(
              doing.list === "allow"
                ? post("/flags/{flag}/allow", of, { keys, remove, reason, dry_run: dry })
                : post("/flags/{flag}/deny", of, { keys, remove, reason, dry_run: dry }),
            );
          }}
          preview={(answer) => <Moves difference={answer.difference} findings={answer.findings} />}
        >
          <TagsInput
            label="Keys"
            description="Enter after each; a pasted list with commas is taken apart"
            value={keys}
            onChange={setKeys}
            splitChars={[",", " ", "\n"]}
          />
        </Act>
      ) : null}
    </Panel>
  );
}
