// How a run goes: batch size, the wait between batches, when it stops by itself. Owns the fields and what is sent of them;
// what is left empty is as the server's configuration says, or as the run has it already.
import { Accordion, NumberInput, SimpleGrid } from "@mantine/core";

/** Under the names of a run's own settings. */
export interface AskedSettings {
  batch_size?: number;
  throttle_ms?: number;
  max_errors?: number;
  /** 0 to 1. */
  max_error_share?: number;
}

/** The longest wait; a run that waits longer would count as abandoned. */
const LONGEST_WAIT_MS = 30_000;

interface Field {
  name: keyof AskedSettings;
  label: string;
  description: string;
  least: number;
  most?: number;
  suffix?: string;
  /** What one unit of the field is of what is sent. */
  unit: number;
}

const FIELDS: Field[] = [
  { name: "batch_size", label: "Items in one batch", description: "Each batch is one transaction", least: 1, unit: 1 },
  {
    name: "throttle_ms",
    label: "Wait between batches",
    description: "Leaves others room on a busy store",
    least: 0,
    most: LONGEST_WAIT_MS,
    suffix: " ms",
    unit: 1,
  },
  {
    name: "max_errors",
    label: "Stop after more errors than",
    description: "Items that fail or conflict",
    least: 0,
    unit: 1,
  },
  {
    name: "max_error_share",
    label: "Stop at a larger share than",
    description: "Of at least 100 items",
    least: 0,
    most: 100,
    suffix: " %",
    unit: 0.01,
  },
];

export function Settings({
  asked,
  onChange,
  names = FIELDS.map((field) => field.name),
}: {
  asked: AskedSettings;
  onChange: (asked: AskedSettings) => void;
  names?: (keyof AskedSettings)[];
}) {
  return (
    <Accordion variant="contained" chevronPosition="left">
      <Accordion.Item value="settings">
        <Accordion.Control>How it goes: {said(asked) || "as configured"}</Accordion.Control>
        <Accordion.Panel>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            {FIELDS.filter((field) => names.includes(field.name)).map((field) => {
              const value = asked[field.name];
              return (
                <NumberInput
                  key={field.name}
                  label={field.label}
                  description={field.description}
                  placeholder="as configured"
                  value={value === undefined ? "" : rounded(value / field.unit)}
                  onChange={(given) => onChange(withField(asked, field, given))}
                  min={field.least}
                  max={field.most}
                  suffix={field.suffix}
                  clampBehavior="strict"
                  allowDecimal={field.unit !== 1}
                />
              );
            })}
          </SimpleGrid>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

function withField(asked: AskedSettings, { name, unit }: Field, given: number | string): AskedSettings {
  const { [name]: _, ...others } = asked;
  return given === "" ? others : { ...others, [name]: rounded(Number(given) * unit) };
}

/** Without what binary fractions add to a percentage. */
const rounded = (value: number) => Math.round(value * 1e6) / 1e6;

/** In words, what was asked: "10 items a batch, 200 ms between batches". */
export function said(asked: AskedSettings): string {
  const parts = [
    asked.batch_size !== undefined && `${asked.batch_size} items a batch`,
    asked.throttle_ms !== undefined && `${asked.throttle_ms} ms between batches`,
    asked.max_errors !== undefined && `stops after ${asked.max_errors} errors`,
    asked.max_error_share !== undefined && `stops at ${rounded(asked.max_error_share * 100)} % errors`,
  ];
  return parts.filter(Boolean).join(", ");
}
