// What became of the items of a run, as one bar: planned = applied + no-op + conflicted + quarantined + skipped.
import { Group, Text, Tooltip } from "@mantine/core";
import type { Tally } from "../api/types";
import { number } from "./format";

const PARTS: { name: Exclude<keyof Tally, "planned">; label: string; colour: string }[] = [
  { name: "applied", label: "applied", colour: "var(--pl-good)" },
  { name: "noop", label: "no-op", colour: "var(--mantine-color-gray-5)" },
  { name: "conflicted", label: "conflicted", colour: "var(--pl-bad)" },
  { name: "quarantined", label: "quarantined", colour: "var(--pl-warn)" },
  { name: "skipped", label: "skipped", colour: "var(--mantine-color-gray-6)" },
];

export function TallyBar({ tally, legend = false }: { tally: Tally; legend?: boolean }) {
  const whole = Math.max(1, tally.planned);
  const words = PARTS.filter((part) => tally[part.name] > 0).map((part) => `${number(tally[part.name])} ${part.label}`);
  const says = `${number(tally.planned)} planned: ${words.join(", ") || "nothing done yet"}`;
  return (
    <div>
      <Tooltip label={says}>
        <div
          role="img"
          aria-label={says}
          style={{
            display: "flex",
            gap: 1,
            height: legend ? 12 : 8,
            borderRadius: 3,
            overflow: "hidden",
            background: "var(--pl-line)",
          }}
        >
          {PARTS.map((part) =>
            tally[part.name] > 0 ? (
              <div
                key={part.name}
                style={{ width: `${(tally[part.name] / whole) * 100}%`, minWidth: 3, background: part.colour }}
              />
            ) : null,
          )}
        </div>
      </Tooltip>
      {legend ? (
        <Group gap="md" mt={8}>
          {PARTS.map((part) => (
            <Group key={part.name} gap={6}>
              <span aria-hidden style={{ width: 9, height: 9, borderRadius: 2, background: part.colour }} />
              <Text size="xs" className="num">
                {number(tally[part.name])} {part.label}
              </Text>
            </Group>
          ))}
        </Group>
      ) : null}
    </div>
  );
}
