// Making a plan: a system, one of its changes, its options.
import { Select, Textarea } from "@mantine/core";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { SystemInfo, Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";

/** A plan, unless reading the source takes longer than a request: then it is in the list when it is made. */
interface Planned extends Undoable {
  plan: string | null;
}

/** A change that is made from its options alone is done at once; without a run it changed nothing. */
interface DoneAtOnce extends Undoable {
  run: string | null;
  rows: number;
}

/** Reads lines of `name=value`; `null` where one is none. */
export function readOptions(text: string): Record<string, string> | null {
  const options: Record<string, string> = {};
  for (const line of text
    .split("\n")
    .map((one) => one.trim())
    .filter(Boolean)) {
    const at = line.indexOf("=");
    if (at < 1) return null;
    options[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return options;
}

export function MakePlan({
  opened,
  onClose,
  system: chosen,
}: {
  opened: boolean;
  onClose: () => void;
  system?: string;
}) {
  const systems = useApi<SystemInfo[]>(get("/systems"), { every: false });
  const { can } = useSession();
  const able = (systems.data ?? []).filter((one) => one.changes.length > 0 && can("operator", one.name));
  const [system, setSystem] = useState<string | null>(null);
  const [change, setChange] = useState<string | null>(null);
  const [text, setText] = useState("");
  const of = able.find((one) => one.name === (system ?? chosen)) ?? able[0];
  const what = of?.changes.find((one) => one.name === change) ?? of?.changes[0];
  const options = readOptions(text);
  return (
    <Act<Planned | DoneAtOnce>
      opened={opened}
      onClose={onClose}
      title="Make a plan"
      about="The source is read and compared with the tables. Nothing is written but the plan."
      confirm="Make plan"
      ready={Boolean(of && what && options)}
      send={(reason) =>
        api.send(
          post(
            "/systems/{system}/plans",
            { system: of?.name ?? "" },
            { change: what?.name ?? "", options: options ?? {}, reason },
          ),
        )
      }
      leadsTo={(made) => {
        if ("run" in made) return made.run && href.run(made.run);
        return made.plan && href.plan(made.plan);
      }}
    >
      <Select
        label="System"
        data={able.map((one) => one.name)}
        value={of?.name ?? null}
        onChange={(name) => {
          setSystem(name);
          setChange(null);
        }}
      />
      <Select
        label="Change"
        data={(of?.changes ?? []).map((one) => one.name)}
        value={what?.name ?? null}
        onChange={setChange}
        description={what?.help}
      />
      <Textarea
        label="Options"
        description="One a line, such as congress=119"
        autosize
        minRows={2}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={options ? undefined : "Each line is NAME=VALUE"}
      />
    </Act>
  );
}
