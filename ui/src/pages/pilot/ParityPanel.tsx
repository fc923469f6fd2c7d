// Whether both sides say the same, entity by entity, down to the records and fields that differ.
import { Button, Select, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { post } from "../../api/request";
import type { Plan, Undoable } from "../../api/types";
import { Act, tell } from "../../parts/Act";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { count, number, valueText } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { useFilters } from "../../parts/useFilters";
import { useSession } from "../../shell/session";
import { type Parity, type ParityEntity, PILOT } from "./types";

const ENTITIES: Column<ParityEntity>[] = [
  { id: "entity", header: "Entity", width: "120px", value: (one) => one.entity },
  {
    id: "state",
    header: "State",
    width: "130px",
    value: (one) => one.differing,
    cell: (one) => (
      <Status
        word={one.differing === 0 ? "equal" : "fail"}
        label={one.differing === 0 ? "equal" : `${number(one.differing)} differ`}
      />
    ),
  },
  { id: "legacy", header: "Legacy", align: "right", value: (one) => one.legacy_records },
  { id: "new", header: "New", align: "right", value: (one) => one.new_records },
];

type Shown = ParityEntity["shown"][number];

function keyOf({ record }: Shown): string {
  return record.map((part) => valueText(part)).join("/");
}

/** A repair that was planned; there is none where nothing differs. */
interface Repaired extends Undoable {
  found: Parity;
  plan: Plan | null;
  assessment: unknown;
  dry_run: boolean;
  /** The command that applies it. */
  next: string | null;
}

const RECORDS: Column<Shown>[] = [
  {
    id: "record",
    header: "Record",
    width: "150px",
    value: (one) => keyOf(one),
    cell: (one) => <span className="mono">{keyOf(one)}</span>,
  },
  { id: "how", header: "How", width: "120px", value: (one) => one.how.replaceAll("_", " ") },
  {
    id: "fields",
    header: "Fields",
    width: "minmax(160px, 1fr)",
    value: (one) =>
      one.fields
        .map((field) => `${field.column}: legacy ${JSON.stringify(field.legacy)}, new ${JSON.stringify(field.new)}`)
        .join("; ") || "none",
  },
  { id: "reason", header: "Reason", width: "minmax(200px, 2fr)", value: (one) => one.reason ?? "not known" },
];

/** Differing records of each entity that are told. */
const SHOWN = 200;
const COMPARE = post("/systems/{system}/parity", PILOT, { shown: SHOWN });

export function ParityPanel() {
  const [search, setSearch] = useFilters();
  const { can } = useSession();
  // Comparing brings the sums of both sides up to date, so it is asked by a post, and only when somebody wants it.
  const query = useQuery<Parity>({
    queryKey: [COMPARE.route],
    queryFn: () => api.send<Parity>(COMPARE),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [target, setTarget] = useState<"legacy" | "new">("new");
  const [repairing, setRepairing] = useState(false);
  const open =
    query.data?.entities.find((one) => one.entity === search.entity) ??
    query.data?.entities.find((one) => one.differing > 0) ??
    query.data?.entities[0];
  return (
    <div className="grid">
      <Panel
        title="Both sides"
        className="w5"
        flush
        note={
          query.data
            ? `${count(query.data.differing, "record")} differ, ${number(query.data.pending)} on their way`
            : null
        }
        actions={
          <>
            <Button variant="default" loading={query.isFetching} onClick={() => void query.refetch()}>
              Compare again
            </Button>
            <Button
              variant="default"
              disabled={!query.data || query.data.equal || !can("operator", "luckygas")}
              onClick={() => setRepairing(true)}
            >
              Repair…
            </Button>
          </>
        }
      >
        <Answer query={query}>
          {(data) => (
            <DataTable
              label="Parity by entity"
              rows={data.entities}
              columns={ENTITIES}
              rowKey={(one) => one.entity}
              current={open?.entity ?? null}
              onOpen={(one) => setSearch({ entity: one.entity })}
              height={360}
            />
          )}
        </Answer>
      </Panel>
      {open ? (
        <Panel
          title={`Records of ${open.entity} that differ`}
          className="w7"
          flush
          note={`${number(open.shown.length)} of ${number(open.differing)} shown`}
          actions={<CsvButton rows={open.shown} columns={RECORDS} file={`parity-${open.entity}`} />}
        >
          <DataTable
            label="Records that differ"
            rows={open.shown}
            columns={RECORDS}
            rowKey={(one) => keyOf(one)}
            height={360}
            empty={<Empty title="Both sides agree" />}
          />
        </Panel>
      ) : null}
      <Act<Repaired>
        opened={repairing}
        onClose={() => setRepairing(false)}
        title="Repair what differs"
        about="A repair is a plan: it is shown, applied in batches and can be undone. What cannot be carried is refused by name."
        confirm="Make the repair"
        send={(reason, dry) =>
          api.send(
            post("/systems/{system}/parity/repair", PILOT, {
              reason,
              dry_run: dry,
              target,
              max_deletes: 0,
              ...(search.entity ? { entities: [search.entity] } : {}),
            }),
          )
        }
        onDone={(answer) => tell("The repair is planned", answer.next)}
        basis={target}
        preview={(answer) => (
          <Text component="pre" className="plain">
            {JSON.stringify(answer, null, 2)}
          </Text>
        )}
      >
        <Select
          label="Which side is put right"
          data={[
            { value: "new", label: "the new side" },
            { value: "legacy", label: "the legacy side" },
          ]}
          value={target}
          onChange={(side) => setTarget(side ?? "new")}
          allowDeselect={false}
        />
      </Act>
    </div>
  );
}
