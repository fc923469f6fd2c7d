// Moving members on or back, all of them or some by name.
import { Code, NumberInput, TagsInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { api } from "../../api/client";
import type { Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { BASE } from "./types";

export type PilotStep = "start" | "pause" | "resume" | "advance" | "rollback" | "enrol";

const WORDS: Record<PilotStep, { title: string; about: string; confirm: string }> = {
  enrol: {
    title: "Enrol the selection",
    about: "The customers of the newest selection become members, and are frozen in the flag pilot_program.",
    confirm: "Enrol",
  },
  start: {
    title: "Start members",
    about: "Their rows are copied, and what changes meanwhile follows.",
    confirm: "Start",
  },
  pause: {
    title: "Pause members",
    about: "They stop where they are; a handover under way comes to its end first. Stage and evidence are kept.",
    confirm: "Pause",
  },
  resume: { title: "Resume members", about: "They go on where they stopped.", confirm: "Resume" },
  advance: {
    title: "Advance the next wave",
    about: "Members go into the next stage when the gate says GO and nothing is missing.",
    confirm: "Advance",
  },
  rollback: {
    title: "Roll members back",
    about:
      "They go back to the legacy side with everything that was written on the new side since; each gets a signed certificate.",
    confirm: "Roll back",
  },
};

/** Whom it is about: an enrolment takes several, a move one or all. */
function about(step: PilotStep, named: string[]): Record<string, unknown> {
  if (named.length === 0) return {};
  return step === "enrol" ? { customers: named } : { customer: named[0] };
}

export function PilotAct({ step, customers, onClose }: { step: PilotStep; customers: string[]; onClose: () => void }) {
  const [named, setNamed] = useState<string[]>(customers);
  const [force, setForce] = useState<number | string>("");
  const [what, setWhat] = useState("");
  const words = WORDS[step];
  const forced = step === "advance" && force !== "";
  return (
    <Act<Undoable>
      opened
      onClose={onClose}
      title={words.title}
      about={words.about}
      confirm={words.confirm}
      danger={step === "rollback" || forced}
      basis={`${step} ${named.join(",")} ${force}`}
      ready={!forced || what.trim() !== ""}
      send={(reason, dry) =>
        api.post(`${BASE}/${step}`, {
          reason,
          dry_run: dry,
          ...about(step, named),
          ...(forced ? { force: { writes: Number(force), what } } : {}),
        })
      }
      preview={(answer) => <pre className="plain">{JSON.stringify(answer, null, 2)}</pre>}
    >
      <TagsInput
        label={step === "enrol" ? "Customers" : "Customer"}
        description={step === "enrol" ? "None: all of the selection" : "Nobody: all that may"}
        value={named}
        onChange={setNamed}
        maxTags={step === "enrol" ? undefined : 1}
        splitChars={[",", " "]}
      />
      {step === "advance" ? (
        <>
          <NumberInput
            label="Force it, losing at most so many writes"
            description="Left empty, the gate decides. A forced step stands in the certificate for ever."
            min={0}
            value={force}
            onChange={setForce}
          />
          {forced ? (
            <TextInput
              label="Which writes"
              required
              value={what}
              onChange={(event) => setWhat(event.currentTarget.value)}
            />
          ) : null}
        </>
      ) : null}
      {customers.length > 0 ? (
        <Text c="dimmed">
          Chosen: <Code>{customers.length}</Code>
        </Text>
      ) : null}
    </Act>
  );
}
