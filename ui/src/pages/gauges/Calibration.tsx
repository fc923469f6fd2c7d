// What is due, what is overdue and in whose hands, and the batches on their way.
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { count } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import type { Batch, Due } from "./types";

const DUE: Column<Due>[] = [
  {
    id: "serial",
    header: "Gauge",
    width: "120px",
    value: (one) => one.serial,
    cell: (one) => <span className="mono">{one.serial}</span>,
  },
  { id: "set", header: "Set", width: "100px", value: (one) => one.set_id ?? "spare" },
  {
    id: "status",
    header: "Status",
    width: "140px",
    value: (one) => one.status,
    cell: (one) => <Status word={one.status} />,
  },
  { id: "due", header: "Due", width: "120px", value: (one) => one.due_on ?? "never certified" },
  {
    id: "days",
    header: "Days left",
    width: "130px",
    align: "right",
    value: (one) => one.days,
    cell: (one) =>
      one.days === null ? (
        "none"
      ) : one.days < 0 ? (
        <Status word="overdue" label={`${count(-one.days, "day")} over`} />
      ) : (
        count(one.days, "day")
      ),
  },
  { id: "holder", header: "In whose hands", value: (one) => one.holder ?? "on its shelf" },
];

const BATCHES: Column<Batch>[] = [
  { id: "batch", header: "Batch", width: "120px", value: (one) => one.batch },
  {
    id: "state",
    header: "State",
    width: "140px",
    value: (one) => one.state,
    cell: (one) => <Status word={one.state} tone={one.state === "sent" ? "busy" : undefined} />,
  },
  { id: "kind", header: "Kind", width: "100px", value: (one) => one.kind },
  { id: "vendor", header: "Laboratory", value: (one) => one.vendor ?? "our own" },
  { id: "tracking", header: "Tracking", width: "130px", value: (one) => one.tracking },
  { id: "gauges", header: "Gauges", width: "80px", align: "right", value: (one) => one.gauges },
  { id: "waiting", header: "Not back", width: "90px", align: "right", value: (one) => one.waiting },
];

export function Calibration() {
  const due = useApi<List<Due>>(get("/gauges/due", { within: 60, limit: 1000 }));
  const batches = useApi<List<Batch>>(get("/calibration-batches", { limit: 500 }));
  const rows = due.data?.items ?? [];
  return (
    <div className="grid">
      <Panel
        title="Due and overdue"
        className="w7"
        flush
        note={due.data ? count(rows.length, "gauge") : null}
        actions={<CsvButton rows={rows} columns={DUE} file="due" />}
      >
        <Answer query={due}>
          {() => (
            <DataTable
              label="Gauges that are due"
              rows={rows}
              columns={DUE}
              rowKey={(one) => one.serial}
              height={480}
              empty={<Empty title="Nothing is due" />}
            />
          )}
        </Answer>
      </Panel>
      <Panel
        title="Calibration batches"
        className="w5"
        flush
        actions={<CsvButton rows={batches.data?.items ?? []} columns={BATCHES} file="batches" />}
      >
        <Answer query={batches}>
          {(data) => (
            <DataTable
              label="Calibration batches"
              rows={data.items}
              columns={BATCHES}
              rowKey={(one) => one.batch}
              height={480}
              empty={<Empty title="No batches" />}
            />
          )}
        </Answer>
      </Panel>
    </div>
  );
}
