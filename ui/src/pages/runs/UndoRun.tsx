// Taking a run back: the five modes, what each would do, and the one that is chosen.
import { Group, Radio, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { Run, Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { count, number } from "../../parts/format";
import { Facts } from "../../parts/Page";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import { type AskedSettings, Settings } from "./Settings";

/** What the modes mean; the same words as `plimsoll undo --help`. */
export const MODES = [
  { mode: "refuse", says: "Any later edit stops the undo before it writes anything" },
  { mode: "skip", says: "Items with an edited row are left as they are and reported" },
  { mode: "merge", says: "Columns that nobody touched since are restored, the others are left" },
  { mode: "cascade", says: "Later runs that touched the same rows are undone first" },
  { mode: "force", says: "Rows are restored to what they were before the run, whatever happened since" },
] as const;

interface Rehearsed extends Undoable {
  preview: UndoPreview;
}

interface Begun extends Undoable {
  /** The run that takes it back, unless it had not begun when the answer was due. */
  run: string | null;
  undoes: string;
}

/** What a mode would do, or why it refuses. */
export interface UndoMode {
  mode: string;
  preview: UndoPreview | null;
  refusal: string | null;
}

export interface UndoPreview {
  restored: number;
  already: number;
  edited: number;
  kept_columns: number;
  cascade: string[];
  samples: string[];
}

export function UndoRun({ run, opened, onClose }: { run: Run; opened: boolean; onClose: () => void }) {
  const [mode, setMode] = useState<string>("skip");
  const [asked, setAsked] = useState<AskedSettings>({});
  const modes = useApi<{ run: string; items: UndoMode[] }>(get("/runs/{run}/undo-modes", { run: run.id }), {
    every: false,
    enabled: opened,
  });
  const known = modes.data?.items ?? [];
  return (
    <Act<Rehearsed | Begun>
      opened={opened}
      onClose={onClose}
      size="xl"
      title="Undo this run"
      about="Undo is a plan of its own: it compares each row with what the run left, is applied in batches, and can be undone."
      confirm="Undo run"
      danger={mode === "force"}
      basis={mode}
      send={(reason, dry) =>
        api.send(post("/runs/{run}/undo", { run: run.id }, { mode, reason, settings: asked, dry_run: dry }))
      }
      preview={(answer) => ("preview" in answer ? <Preview answer={answer.preview} /> : null)}
      leadsTo={(answer) => ("run" in answer && answer.run ? href.run(answer.run) : null)}
    >
      <Radio.Group value={mode} onChange={setMode} label="What to do about rows that were edited since">
        <Stack gap={6} mt={6}>
          {MODES.map((one) => {
            const would = known.find((other) => other.mode === one.mode);
            return (
              <Radio
                key={one.mode}
                value={one.mode}
                size="xs"
                label={
                  <span>
                    <b>{one.mode}</b> – {one.says}
                  </span>
                }
                description={would ? summary(would) : undefined}
              />
            );
          })}
        </Stack>
      </Radio.Group>
      <Settings asked={asked} onChange={setAsked} />
    </Act>
  );
}

export function summary({ preview: would, refusal }: UndoMode): string {
  if (!would) return refusal ?? "";
  const parts = [`${number(would.restored)} restored`];
  if (would.edited) parts.push(`${number(would.edited)} edited since`);
  if (would.kept_columns) parts.push(`${count(would.kept_columns, "column")} kept`);
  if (would.cascade.length > 0) parts.push(`${count(would.cascade.length, "later run")} undone first`);
  return parts.join(", ");
}

function Preview({ answer }: { answer: UndoPreview }) {
  return (
    <Stack gap={6} className="panel" p="sm">
      <Group gap={8}>
        <Text fw={550}>What would happen</Text>
        {answer.edited ? (
          <Status word="warn" label={`${number(answer.edited)} edited since`} />
        ) : (
          <Status word="good" tone="good" label="nothing was edited since" />
        )}
      </Group>
      <Facts
        facts={[
          ["Restored", count(answer.restored, "item")],
          ["Already as before", count(answer.already, "item")],
          ["Edited since", count(answer.edited, "item")],
          ["Columns kept", number(answer.kept_columns)],
          ["Later runs undone first", number(answer.cascade.length)],
        ]}
      />
    </Stack>
  );
}
