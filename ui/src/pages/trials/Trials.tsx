// Trials of a system's changes on scratch copies: those on record, and starting one.
import { Button, Code, NumberInput, Select, TagsInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { List, SystemInfo } from "../../api/types";
import { Act } from "../../parts/Act";
import { type Column, DataTable } from "../../parts/DataTable";
import { duration, number } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status, type Tone } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import type { TrialLine, Tried } from "./types";

export const TONES: Record<TrialLine["verdict"], Tone> = { proceed: "good", iterate: "warn", abort: "bad" };

const COLUMNS: Column<TrialLine>[] = [
  {
    id: "verdict",
    header: "Verdict",
    width: "110px",
    value: (one) => one.verdict,
    cell: (one) => <Status word={one.verdict} tone={TONES[one.verdict]} />,
  },
  { id: "change", header: "Change", width: "minmax(130px, 1fr)", value: (one) => one.change },
  {
    id: "criteria",
    header: "Criteria",
    width: "minmax(170px, 1fr)",
    value: (one) => one.met,
    cell: (one) => `${number(one.met)} met, ${number(one.not_met)} not, ${number(one.unknown)} unknown`,
  },
  { id: "items", header: "Items", width: "80px", align: "right", value: (one) => one.items },
  {
    id: "took",
    header: "Took",
    width: "80px",
    align: "right",
    value: (one) => one.duration_ms,
    cell: (one) => duration(one.duration_ms),
  },
  { id: "by", header: "By", width: "120px", value: (one) => one.actor },
  { id: "at", header: "When", width: "150px", value: (one) => one.at, cell: (one) => <Time at={one.at} /> },
];

export function Trials({ system }: { system: SystemInfo }) {
  const trials = useApi<List<TrialLine>>(get("/trials", { system: system.name, limit: 100 }));
  const navigate = useNavigate();
  const { can } = useSession();
  const [trying, setTrying] = useState(false);
  return (
    <Panel
      title="Trials"
      flush
      note="on scratch copies, before a change is let loose"
      actions={
        <Button variant="default" disabled={!can("operator", system.name)} onClick={() => setTrying(true)}>
          Try a change
        </Button>
      }
    >
      <Answer query={trials}>
        {(list) => (
          <DataTable
            label="Trials"
            rows={list.items}
            columns={COLUMNS}
            rowKey={(one) => one.id}
            height={180}
            onOpen={(one) => void navigate({ to: href.trial(one.id) })}
            empty={<Empty title="Nothing was tried yet" />}
          />
        )}
      </Answer>
      <Try system={system} opened={trying} onClose={() => setTrying(false)} />
    </Panel>
  );
}

function Try({ system, opened, onClose }: { system: SystemInfo; opened: boolean; onClose: () => void }) {
  const [change, setChange] = useState<string | null>(null);
  const [sizes, setSizes] = useState(["25", "50", "100"]);
  const [rounds, setRounds] = useState<number | string>(5);
  const what = change ?? system.changes[0]?.name ?? null;
  const read = sizes.map(Number);
  const wrong = read.some((size) => !Number.isInteger(size) || size < 1);
  return (
    <Act<Tried>
      opened={opened}
      onClose={onClose}
      title="Try a change"
      about="The source is read once and the change applied to copies: both paths, batch sizes, planted failures, interruptions, two simulated days. The store is only read. It takes minutes; the trial is in the list when it ended."
      confirm="Start trial"
      ready={what !== null && !wrong && read.length > 0 && rounds !== ""}
      basis={`${what} ${sizes} ${rounds}`}
      send={(reason, dry) =>
        api.send(
          post(
            "/systems/{system}/trials",
            { system: system.name },
            { change: what ?? "", sizes: read, rounds: Number(rounds), reason, dry_run: dry },
          ),
        )
      }
      preview={(answer) => ("words" in answer ? <Code block>plimsoll {answer.words.join(" ")}</Code> : null)}
    >
      <Select label="Change" data={system.changes.map((one) => one.name)} value={what} onChange={setChange} />
      <TagsInput
        label="Batch sizes"
        description="Each is measured beside the plain path"
        value={sizes}
        onChange={setSizes}
        maxTags={8}
        error={wrong ? "Whole numbers from 1 on" : undefined}
      />
      <NumberInput label="Rounds" value={rounds} onChange={setRounds} min={1} max={100} allowDecimal={false} />
    </Act>
  );
}
