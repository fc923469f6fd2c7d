// Columns of every list of runs.
import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Run } from "../../api/types";
import type { Column } from "../../parts/DataTable";
import { duration, shortId } from "../../parts/format";
import { Status } from "../../parts/Status";
import { TallyBar } from "../../parts/Tally";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";

/** A finished run that left rows behind is not simply good. */
export function RunStatus({ run }: { run: Run }) {
  const left = run.tally.quarantined + run.tally.conflicted;
  if (run.status === "finished" && left > 0)
    return <Status word="partial" tone="warn" label={`finished, ${left} left`} />;
  return <Status word={run.status} />;
}

export const RUN_COLUMNS: Column<Run>[] = [
  {
    id: "run",
    header: "Run",
    width: "130px",
    value: (run) => run.id,
    cell: (run) => (
      <Anchor component={Link} to={href.run(run.id)} className="mono">
        {shortId(run.id)}
      </Anchor>
    ),
  },
  { id: "system", header: "System", width: "100px", value: (run) => run.system },
  {
    id: "change",
    header: "Change",
    width: "minmax(130px, 1fr)",
    value: (run) => (run.undoes ? `${run.change} (undo)` : run.change),
  },
  {
    id: "status",
    header: "Status",
    width: "150px",
    value: (run) => run.status,
    cell: (run) => <RunStatus run={run} />,
  },
  {
    id: "items",
    header: "Items",
    width: "90px",
    align: "right",
    value: (run) => run.tally.planned,
  },
  {
    id: "outcome",
    header: "Outcome",
    width: "minmax(120px, 1fr)",
    sortable: false,
    value: (run) =>
      `${run.tally.applied} applied, ${run.tally.quarantined} quarantined, ${run.tally.conflicted} conflicted`,
    cell: (run) => <TallyBar tally={run.tally} />,
  },
  { id: "rows", header: "Rows written", width: "110px", align: "right", value: (run) => run.rows_written },
  {
    id: "took",
    header: "Took",
    width: "90px",
    align: "right",
    value: (run) => run.duration_ms,
    cell: (run) => duration(run.duration_ms),
  },
  { id: "actor", header: "By", width: "100px", value: (run) => run.actor },
  {
    id: "started",
    header: "Started",
    width: "110px",
    value: (run) => run.started_at,
    cell: (run) => <Time at={run.started_at} form="ago" />,
  },
];
