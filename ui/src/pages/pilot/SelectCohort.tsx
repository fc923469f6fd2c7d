// Choosing the cohort: exactly so many, by region and type, with the balance against everybody else (LG-19).
import { Button, Group, MultiSelect, NumberInput, Select, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { api } from "../../api/client";
import { post } from "../../api/request";
import { Act, Problem, tell } from "../../parts/Act";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { measured, NOTHING, number, percent } from "../../parts/format";
import { Panel, Stats } from "../../parts/Page";
import { Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { useSession } from "../../shell/session";
import { PilotAct } from "./PilotAct";
import { type Average, PILOT, type Selection, type Share, type Stratum } from "./types";

/** Differences below this are negligible: a tenth of a standard deviation. */
const NEGLIGIBLE = 0.1;

const STRATA: Column<Stratum>[] = [
  { id: "region", header: "Region", width: "120px", value: (one) => one.region },
  { id: "type", header: "Type", width: "120px", value: (one) => one.customer_type },
  { id: "eligible", header: "Eligible", align: "right", value: (one) => one.eligible },
  { id: "members", header: "Chosen", align: "right", value: (one) => one.members },
  { id: "exact", header: "Exact share", align: "right", value: (one) => one.exact },
  { id: "earlier", header: "Of earlier", align: "right", value: (one) => one.earlier },
];

type Balanced = (Average | Share) & { what: string };

const BALANCE: Column<Balanced>[] = [
  { id: "what", header: "", width: "100px", value: (one) => one.what },
  { id: "name", header: "Measure", width: "minmax(120px, 1fr)", value: (one) => one.name.replaceAll("_", " ") },
  {
    id: "cohort",
    header: "Cohort",
    align: "right",
    value: (one) => one.cohort,
    cell: (one) => (one.what === "average" ? measured(one.cohort) : percent(one.cohort)),
  },
  {
    id: "rest",
    header: "Everybody else",
    align: "right",
    value: (one) => one.rest,
    cell: (one) => (one.what === "average" ? measured(one.rest) : percent(one.rest)),
  },
  {
    id: "difference",
    header: "Difference",
    width: "150px",
    align: "right",
    value: (one) => (one.difference === null ? null : Math.abs(one.difference)),
    cell: ({ difference }) => {
      if (difference === null) return NOTHING;
      const word = Math.abs(difference) < NEGLIGIBLE ? "good" : "warn";
      return <Status word={word} tone={word} label={difference.toFixed(3)} />;
    },
  },
];

function balanceRows(selection: Selection): Balanced[] {
  const { covariates, regions, customer_types } = selection.balance;
  return [
    ...covariates.map((one) => ({ ...one, what: "average" })),
    ...regions.map((one) => ({ ...one, what: "region" })),
    ...customer_types.map((one) => ({ ...one, what: "type" })),
  ];
}

export function SelectCohort() {
  const { can } = useSession();
  const may = can("operator", "luckygas");
  const [by, setBy] = useState<string>("percent");
  const [size, setSize] = useState<number | string>(10);
  const [orders, setOrders] = useState<number | string>(0);
  const [regions, setRegions] = useState<string[]>([]);
  const [types, setTypes] = useState<string[]>([]);
  const [without, setWithout] = useState<string[]>([]);
  const [salt, setSalt] = useState("");
  const [found, setFound] = useState<Selection | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [keeping, setKeeping] = useState(false);
  const [enrolling, setEnrolling] = useState(false);
  const asked = () => ({
    ...(by === "percent" ? { percent: Number(size) } : { count: Number(size) }),
    minimum_orders: Number(orders) || 0,
    regions,
    customer_types: types,
    refused_marks: without,
    ...(salt ? { salt } : {}),
  });
  const look = async () => {
    setBusy(true);
    setError(null);
    try {
      setFound(
        await api.send<Selection>(
          post("/systems/{system}/pilot/selections", PILOT, { ...asked(), dry_run: true, reason: "preview" }),
        ),
      );
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="grid">
      <Panel title="Who goes first" className="w4">
        <Stack gap={8}>
          <Group gap={8} align="flex-end">
            <Select
              label="So many"
              data={[
                { value: "percent", label: "percent" },
                { value: "count", label: "customers" },
              ]}
              value={by}
              onChange={(one) => setBy(one ?? "percent")}
              w={120}
              allowDeselect={false}
            />
            <NumberInput
              aria-label={by === "percent" ? "Percent" : "Customers"}
              value={size}
              onChange={setSize}
              min={0}
              w={100}
            />
          </Group>
          <NumberInput label="At least so many orders" value={orders} onChange={setOrders} min={0} />
          <TagsInput label="Only these regions" value={regions} onChange={setRegions} />
          <MultiSelect label="Only these types" data={["household", "business"]} value={types} onChange={setTypes} />
          <TagsInput
            label="Nobody with these marks"
            placeholder="such as terminated"
            value={without}
            onChange={setWithout}
          />
          <TextInput
            label="Salt"
            description="Another salt draws others; those chosen before always stay"
            value={salt}
            onChange={(event) => setSalt(event.currentTarget.value)}
          />
          {error ? <Problem error={error} /> : null}
          <Group gap={8}>
            <Button variant="light" loading={busy} disabled={!may} onClick={() => void look()}>
              Look at the balance
            </Button>
            <Button disabled={!found || !may} onClick={() => setKeeping(true)}>
              Keep the selection…
            </Button>
          </Group>
          <Button variant="default" disabled={!may} onClick={() => setEnrolling(true)}>
            Enrol the newest selection…
          </Button>
        </Stack>
      </Panel>
      <div className="col w8">
        {found ? (
          <Shown selection={found} />
        ) : (
          <Panel title="Balance">
            <Empty title="Nothing was drawn yet">
              A look draws the cohort without keeping it, and shows how it stands beside everybody else.
            </Empty>
          </Panel>
        )}
      </div>
      <Act<Selection>
        opened={keeping}
        onClose={() => setKeeping(false)}
        title="Keep this selection"
        confirm="Keep selection"
        send={(reason) => api.send(post("/systems/{system}/pilot/selections", PILOT, { ...asked(), reason }))}
        onDone={(answer) => {
          setFound(answer);
          tell("The selection is kept", null);
        }}
      />
      {enrolling ? <PilotAct step="enrol" customers={[]} onClose={() => setEnrolling(false)} /> : null}
    </div>
  );
}

function Shown({ selection }: { selection: Selection }) {
  const rows = balanceRows(selection);
  return (
    <>
      <Stats
        figures={[
          { label: "Customers", value: number(selection.customers) },
          { label: "Eligible", value: number(selection.eligible) },
          { label: "Asked for", value: number(selection.asked) },
          { label: "Chosen", value: number(selection.members.length) },
          { label: "New in it", value: number(selection.entered.length) },
          { label: "Largest difference", value: selection.worst_difference?.toFixed(3) ?? NOTHING },
        ]}
      />
      <Panel
        title="Balance"
        flush
        note={
          <Status
            word={selection.is_balanced ? "good" : "warn"}
            tone={selection.is_balanced ? "good" : "warn"}
            label={selection.is_balanced ? "balanced" : "not balanced; draw with another salt"}
          />
        }
        actions={<CsvButton rows={rows} columns={BALANCE} file="balance" />}
      >
        <DataTable
          label="Balance"
          rows={rows}
          columns={BALANCE}
          rowKey={(one) => `${one.what} ${one.name}`}
          height={300}
        />
      </Panel>
      <Panel
        title="By region and type"
        flush
        actions={<CsvButton rows={selection.balance.strata} columns={STRATA} file="strata" />}
      >
        <DataTable
          label="Strata"
          rows={selection.balance.strata}
          columns={STRATA}
          rowKey={(one) => `${one.region} ${one.customer_type}`}
          height={300}
        />
        {Object.keys(selection.kept_out).length > 0 ? (
          <Text c="dimmed" p="sm">
            Kept out:{" "}
            {Object.entries(selection.kept_out)
              .map(([why, many]) => `${number(many)} ${why.replaceAll("_", " ")}`)
              .join(", ")}
          </Text>
        ) : null}
      </Panel>
    </>
  );
}
