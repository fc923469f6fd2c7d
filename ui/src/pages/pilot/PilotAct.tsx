// Moving members on or back, all of them or some by name.
import { Code, NumberInput, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { api } from "../../api/client";
import { type ApiRequest, post } from "../../api/request";
import type { Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { count, number } from "../../parts/format";
import { Callout } from "../../parts/Page";
import { PILOT } from "./types";

export type PilotStep = "start" | "pause" | "resume" | "advance" | "rollback" | "enrol";

/** What a move did or would do. */
interface Moved extends Undoable {
  moved: string[];
  waiting: string[];
  unmoved: { customer: string; why: string }[];
  gate: { name: string; verdict: string } | null;
  dry_run: boolean;
}

/** Whom an enrolment made members. */
interface Enrolled extends Undoable {
  selection: number;
  enrolled: string[];
  members: number;
  flag: string;
  dry_run: false;
}

/** Whom it would. */
interface WouldEnrol extends Undoable {
  would_enrol: string[];
  dry_run: true;
}

type PilotAnswer = Moved | Enrolled | WouldEnrol;

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

interface Said {
  named: string[];
  because: { reason: string; dry_run: boolean };
  /** The loss that a forced step may bring; only an advance can be forced. */
  force?: { writes: number; what: string };
}

/** An enrolment takes several customers, or all; a move takes one member, or all. */
const REQUESTS: Record<PilotStep, (said: Said) => ApiRequest> = {
  enrol: ({ named, because }) =>
    post("/systems/{system}/pilot/enrol", PILOT, { ...because, ...(named.length > 0 ? { customers: named } : {}) }),
  start: ({ named, because }) => post("/systems/{system}/pilot/start", PILOT, { ...because, customer: named[0] }),
  pause: ({ named, because }) => post("/systems/{system}/pilot/pause", PILOT, { ...because, customer: named[0] }),
  resume: ({ named, because }) => post("/systems/{system}/pilot/resume", PILOT, { ...because, customer: named[0] }),
  advance: ({ named, because, force }) =>
    post("/systems/{system}/pilot/advance", PILOT, { ...because, customer: named[0], force }),
  rollback: ({ named, because }) => post("/systems/{system}/pilot/rollback", PILOT, { ...because, customer: named[0] }),
};

/** Why members do not move, each reason once with those whom it concerns. */
export function reasons(unmoved: { customer: string; why: string }[]): { why: string; customers: string[] }[] {
  const all = new Map<string, string[]>();
  for (const { customer, why } of unmoved) all.set(why, [...(all.get(why) ?? []), customer]);
  return [...all].map(([why, customers]) => ({ why, customers }));
}

/** Why nobody moves, in a sentence. */
function nobody({ unmoved, gate }: Moved): string {
  const why = reasons(unmoved).map((one) => `${one.why} (${names(one.customers)})`);
  return ["Nobody moves", gate ? `the gate ${gate.name} says ${gate.verdict}` : "", ...why].filter(Boolean).join("; ");
}

const SHOWN = 12;

function names(customers: string[]): string {
  const more = customers.length - SHOWN;
  return customers.slice(0, SHOWN).join(", ") + (more > 0 ? ` and ${number(more)} more` : "");
}

function Says({ answer }: { answer: PilotAnswer }) {
  if ("would_enrol" in answer) {
    return (
      <Callout tone="good" title={`${count(answer.would_enrol.length, "customer")} would be enrolled`}>
        <Text size="xs">{names(answer.would_enrol)}</Text>
      </Callout>
    );
  }
  // An enrolment that was made is shown nowhere: the dialog has closed.
  if (!("moved" in answer)) return null;
  const { moved, waiting, unmoved, gate } = answer;
  return (
    <Callout tone={moved.length > 0 ? "good" : "warn"} title={`${count(moved.length, "member")} would move`}>
      <Stack gap={4}>
        {moved.length > 0 ? <Text size="xs">{names(moved)}</Text> : null}
        {gate ? (
          <Text>
            The gate {gate.name} says {gate.verdict}.
          </Text>
        ) : null}
        {waiting.length > 0 ? <Text>Waiting for a handover to end: {names(waiting)}</Text> : null}
        {reasons(unmoved).map(({ why, customers }) => (
          <Text key={why}>
            {why}: {names(customers)}
          </Text>
        ))}
      </Stack>
    </Callout>
  );
}

export function PilotAct({ step, customers, onClose }: { step: PilotStep; customers: string[]; onClose: () => void }) {
  const [named, setNamed] = useState<string[]>(customers);
  const [force, setForce] = useState<number | string>("");
  const [what, setWhat] = useState("");
  const words = WORDS[step];
  const forced = step === "advance" && force !== "";
  return (
    <Act<PilotAnswer>
      opened
      onClose={onClose}
      title={words.title}
      about={words.about}
      confirm={words.confirm}
      danger={step === "rollback" || forced}
      basis={`${step} ${named.join(",")} ${force}`}
      ready={!forced || what.trim() !== ""}
      send={async (reason, dry) => {
        const answer = await api.send<PilotAnswer>(
          REQUESTS[step]({
            named,
            because: { reason, dry_run: dry },
            force: forced ? { writes: Number(force), what } : undefined,
          }),
        );
        // The server answers 200 when nobody may move; to whoever asked it is a refusal.
        if (!dry && "moved" in answer && answer.moved.length === 0 && answer.waiting.length === 0)
          throw new Error(nobody(answer));
        return answer;
      }}
      preview={(answer) => <Says answer={answer} />}
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
