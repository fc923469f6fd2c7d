// Replacing a member, or filling a vacant place: the side, then the spares with why each fits or not, then the reason (GS-16).
import { Group, Radio, ScrollArea, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconCheck, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { List } from "../../api/types";
import { Act } from "../../parts/Act";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { type Candidate, type Member, type Operated, SIDES, type Side } from "./types";

export function ReplaceGaugeModal({
  set,
  members,
  vacant,
  opened,
  onClose,
}: {
  set: string;
  members: Member[];
  vacant: Side[];
  opened: boolean;
  onClose: () => void;
}) {
  const [side, setSide] = useState<Side>(vacant[0] ?? "go");
  const [chosen, setChosen] = useState<string | null>(null);
  const [typed, setTyped] = useState("");
  const [find] = useDebouncedValue(typed, 300);
  const query = useApi<List<Candidate>>(get("/gauge-sets/{set}/candidates", { set }, { side, limit: 500 }), {
    every: false,
    enabled: opened,
  });
  const old = members.find((one) => one.side === side)?.serial;
  const shown = (query.data?.items ?? []).filter(
    (one) => !find || one.serial.toLowerCase().includes(find.toLowerCase()),
  );
  return (
    <Act<Operated>
      opened={opened}
      onClose={onClose}
      size="xl"
      title={old ? `Replace the ${SIDES[side]} of ${set}` : `Fill the vacant ${SIDES[side]} of ${set}`}
      about={
        old
          ? `${old} leaves the set and becomes a spare. The set keeps its ID and its history.`
          : "The spare joins the set, which keeps its ID and its history."
      }
      confirm={old ? "Replace gauge" : "Fill the place"}
      ready={chosen !== null}
      basis={`${side} ${chosen}`}
      send={(reason, dry) =>
        api.send(
          post(
            "/gauge-sets/{set}/replace",
            { set },
            { ...(old ? { old } : {}), new: chosen ?? "", reason, dry_run: dry },
          ),
        )
      }
      preview={() => (
        <Text>
          {chosen} takes the place of {old ?? "nobody"} in {set}; every rule allows it.
        </Text>
      )}
    >
      <Group gap={10}>
        <SegmentedControl
          aria-label="Side"
          value={side}
          onChange={(to) => {
            setSide(to as Side);
            setChosen(null);
          }}
          data={(["go", "nogo"] as const)
            .filter((one) => vacant.length === 0 || vacant.includes(one) || members.length > 0)
            .map((one) => ({ value: one, label: SIDES[one] }))}
        />
        <TextInput
          aria-label="Find a spare by its serial"
          placeholder="Find a spare by its serial"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </Group>
      <Answer query={query}>
        {() =>
          shown.length === 0 ? (
            <Empty title="No spare of this kind">Register one, or break another set up.</Empty>
          ) : (
            <ScrollArea.Autosize mah={280} type="auto">
              <Radio.Group label="Spares, the best first" value={chosen} onChange={setChosen}>
                <Stack gap={4} mt={4}>
                  {shown.map((one) => (
                    <CandidateLine
                      key={one.serial}
                      candidate={one}
                      best={one.fits && one.serial === shown.find((other) => other.fits)?.serial}
                    />
                  ))}
                </Stack>
              </Radio.Group>
            </ScrollArea.Autosize>
          )
        }
      </Answer>
    </Act>
  );
}

export function CandidateLine({ candidate, best }: { candidate: Candidate; best: boolean }) {
  const reasons = candidate.refused.map((one) => one.text);
  return (
    <Radio
      value={candidate.serial}
      disabled={!candidate.fits}
      label={
        <Group gap={8}>
          {candidate.fits ? (
            <IconCheck size={14} color="var(--pl-good)" aria-label="fits" />
          ) : (
            <IconX size={14} color="var(--pl-bad)" aria-label="does not fit" />
          )}
          <span className="mono">{candidate.serial}</span>
          {best ? <Status word="good" tone="good" label="best" /> : null}
          <Text span c="dimmed">
            {candidate.location ?? "no place"}
          </Text>
        </Group>
      }
      description={candidate.fits ? candidate.notes.join("; ") : reasons.join("; ")}
      styles={{ description: { color: "var(--mantine-color-dimmed)" } }}
    />
  );
}
