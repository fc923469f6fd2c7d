// What a run left behind: items that were not simply applied, and its events in the chained log.
import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { BatchError, JournalEvent, List, Quarantined, Run } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { count } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";

const ERRORS: Column<BatchError>[] = [
  { id: "batch", header: "Batch", width: "70px", align: "right", value: (one) => one.batch },
  { id: "label", header: "Item", width: "minmax(140px, 1fr)", value: (one) => one.label },
  {
    id: "outcome",
    header: "Outcome",
    width: "130px",
    value: (one) => one.outcome,
    cell: (one) => <Status word={one.outcome} />,
  },
  { id: "class", header: "Class", width: "110px", value: (one) => one.class },
  { id: "reason", header: "Reason", width: "minmax(260px, 3fr)", value: (one) => one.reason },
];

/** Items in quarantine in the form of a report, for a run whose report lists none: it was applied as one batch. */
export function leftOf(items: Quarantined[]): BatchError[] {
  return items
    .filter((one) => one.status === "open")
    .map(({ item, label, class: kind, reason }) => ({
      partition: 0,
      batch: 0,
      item,
      label,
      outcome: "quarantined",
      class: kind,
      reason,
    }));
}

export function Left({ run, errors }: { run: Run; errors: BatchError[] | undefined }) {
  const { quarantined, conflicted, skipped } = run.tally;
  const query = useApi<List<Quarantined>>(get("/quarantine", { run: run.id, limit: 500 }), {
    enabled: errors === undefined && quarantined > 0,
  });
  const rows = errors ?? leftOf(query.data?.items ?? []);
  return (
    <Panel
      title="Left behind"
      flush
      note="items that the data's own rules or later edits kept out"
      actions={
        <>
          {quarantined > 0 ? (
            <Anchor component={Link} to={`/quarantine?run=${run.id}`}>
              Repair in quarantine
            </Anchor>
          ) : null}
          <CsvButton rows={rows} columns={ERRORS} file={`left-${run.id.slice(0, 8)}`} />
        </>
      }
    >
      <DataTable
        label="Items that were left behind"
        rows={rows}
        columns={ERRORS}
        rowKey={(one) => `${one.partition}/${one.batch}/${one.item}`}
        height={320}
        empty={quarantined + conflicted + skipped === 0 ? <Empty title="Nothing was left behind" /> : null}
      />
      {skipped > 0 ? (
        <Text p="sm" c="dimmed">
          {count(skipped, "item")} skipped, such as a record that waits in quarantine already.{" "}
          <Anchor component={Link} to={href.plan(run.plan)} underline="always">
            The plan says why of each
          </Anchor>
        </Text>
      ) : null}
    </Panel>
  );
}

const EVENTS: Column<JournalEvent>[] = [
  { id: "number", header: "No.", width: "60px", align: "right", value: (one) => one.number },
  { id: "at", header: "At", width: "172px", value: (one) => one.at, cell: (one) => <Time at={one.at} form="full" /> },
  { id: "kind", header: "Event", width: "150px", value: (one) => one.kind },
  { id: "actor", header: "By", width: "100px", value: (one) => one.actor },
  {
    id: "detail",
    header: "Detail",
    width: "minmax(240px, 3fr)",
    value: (one) => one.detail,
    cell: (one) => <span className="mono">{one.detail}</span>,
  },
  {
    id: "digest",
    header: "Digest",
    width: "120px",
    value: (one) => one.digest,
    cell: (one) => (
      <Text component="span" c="dimmed" className="mono">
        {one.digest.slice(0, 12)}
      </Text>
    ),
  },
];

export function Journal({ events }: { events: JournalEvent[] }) {
  return (
    <Panel
      title="Events"
      flush
      note="each holds the digest of the one before"
      actions={<CsvButton rows={events} columns={EVENTS} file="events" />}
    >
      <DataTable
        label="Events of the run"
        rows={events}
        columns={EVENTS}
        rowKey={(one) => String(one.number)}
        height={280}
        empty={<Empty title="No events yet" />}
      />
    </Panel>
  );
}
