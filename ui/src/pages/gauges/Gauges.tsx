// The gauge laboratory: sets, vacant places, what is due, batches, and the audit trail.
import { Anchor, Group, Tabs } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Choice, Find, Pager } from "../../parts/Filters";
import { number } from "../../parts/format";
import { Page, Panel, Stats } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { AuditTrail } from "./AuditTrail";
import { Calibration } from "./Calibration";
import { CheckId } from "./CheckId";
import { IncompleteSets } from "./IncompleteSets";
import { LocationDetailModal } from "./LocationDetailModal";
import { type Counts, type GaugeSet, likenessText, SIDES, stateWord } from "./types";

const LIMIT = 500;

export function Gauges() {
  const [search, setSearch] = useFilters();
  const counts = useApi<Counts>(get("/gauge-counts"));
  const tab = search.tab ?? "sets";
  const of = (state: string) => counts.data?.sets.find((one) => one.state === state)?.count;
  return (
    <Page
      title="Gauge sets"
      about="A GO/NO-GO pair with an ID, a history and an end. An ID once used is never used again."
      actions={<CheckId />}
    >
      {counts.data ? (
        <Stats
          figures={[
            { label: "Complete sets", value: number(of("complete")) },
            { label: "Incomplete", value: number(of("incomplete") ?? 0), to: "/gauges?tab=incomplete" },
            { label: "Overdue", value: number(counts.data.overdue), to: "/gauges?tab=calibration" },
            { label: "Due in 30 days", value: number(counts.data.due_in_30_days), to: "/gauges?tab=calibration" },
            { label: "Open tolerance cases", value: number(counts.data.open_cases) },
            { label: "IDs given unchecked", value: number(counts.data.ids_unchecked) },
          ]}
        />
      ) : null}
      <Tabs value={tab} onChange={(to) => setSearch({ tab: to ?? undefined })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="sets">Sets</Tabs.Tab>
          <Tabs.Tab value="incomplete">Incomplete</Tabs.Tab>
          <Tabs.Tab value="calibration">Calibration</Tabs.Tab>
          <Tabs.Tab value="audit">Audit</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="sets" pt={12}>
          <Sets />
        </Tabs.Panel>
        <Tabs.Panel value="incomplete" pt={12}>
          <IncompleteSets />
        </Tabs.Panel>
        <Tabs.Panel value="calibration" pt={12}>
          <Calibration />
        </Tabs.Panel>
        <Tabs.Panel value="audit" pt={12}>
          <AuditTrail />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function member(set: GaugeSet, side: "go" | "nogo"): string {
  return set.members.find((one) => one.side === side)?.serial ?? "vacant";
}

function earliest(set: GaugeSet): string | null {
  return (
    set.members
      .map((one) => one.due_on)
      .filter((one): one is string => one !== null)
      .sort()[0] ?? null
  );
}

function Sets() {
  const [search, setSearch] = useFilters();
  const navigate = useNavigate();
  const [place, setPlace] = useState<string | null>(null);
  const offset = Number(search.offset ?? 0) || 0;
  const query = useApi<List<GaugeSet>>(
    get("/gauge-sets", { state: search.state, category: search.category, limit: LIMIT, offset }),
  );
  const shown = (query.data?.items ?? []).filter(
    (one) =>
      !search.find ||
      `${one.set_id} ${likenessText(one.likeness)} ${one.members.map((gauge) => gauge.serial).join(" ")}`
        .toLowerCase()
        .includes(search.find.toLowerCase()),
  );
  const columns: Column<GaugeSet>[] = [
    {
      id: "set",
      header: "Set",
      width: "100px",
      value: (one) => one.set_id,
      cell: (one) => (
        <Anchor component={Link} to={href.gaugeSet(one.set_id)} className="mono">
          {one.set_id}
        </Anchor>
      ),
    },
    {
      id: "state",
      header: "State",
      width: "150px",
      value: (one) => stateWord(one.state),
      cell: (one) => <Status word={stateWord(one.state)} />,
    },
    { id: "what", header: "What it is", width: "minmax(200px, 2fr)", value: (one) => likenessText(one.likeness) },
    { id: "go", header: SIDES.go, width: "110px", value: (one) => member(one, "go") },
    { id: "nogo", header: SIDES.nogo, width: "110px", value: (one) => member(one, "nogo") },
    {
      id: "place",
      header: "Place",
      width: "120px",
      value: (one) => one.members[0]?.location,
      cell: (one) => {
        const at = one.members[0]?.location;
        return at ? (
          <Anchor component="button" type="button" onClick={() => setPlace(at)}>
            {at}
          </Anchor>
        ) : (
          "none"
        );
      },
    },
    { id: "due", header: "Due", width: "110px", value: earliest },
    {
      id: "made",
      header: "Made",
      width: "110px",
      value: (one) => one.created_at,
      cell: (one) => <Time at={one.created_at} form="ago" />,
    },
  ];
  return (
    <Panel
      title="All sets"
      flush
      note={
        query.data ? (
          <Pager
            offset={offset}
            limit={LIMIT}
            total={query.data.total}
            what="set"
            onMove={(to) => setSearch({ offset: String(to) })}
          />
        ) : null
      }
      actions={
        <>
          <Choice
            label="State"
            width={130}
            value={search.state}
            onChange={(state) => setSearch({ state })}
            options={["complete", "incomplete", "unpaired", "retired"]}
          />
          <Find label="Find set, serial or size" value={search.find} onChange={(find) => setSearch({ find })} />
          <CsvButton rows={shown} columns={columns} file="gauge-sets" />
        </>
      }
    >
      <Answer query={query}>
        {() => (
          <DataTable
            label="Gauge sets"
            rows={shown}
            columns={columns}
            rowKey={(one) => one.set_id}
            height={560}
            onOpen={(one) => void navigate({ to: href.gaugeSet(one.set_id) })}
            empty={<Empty title="No sets answer these filters" />}
          />
        )}
      </Answer>
      <Group>
        <LocationDetailModal place={place} onClose={() => setPlace(null)} />
      </Group>
    </Panel>
  );
}
