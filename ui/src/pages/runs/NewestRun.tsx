// What the newest run of a system did, in the figures of its report.
import { Anchor, Group } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { Run, RunDetail } from "../../api/types";
import { count, duration, number } from "../../parts/format";
import { Facts, Panel } from "../../parts/Page";
import { TallyBar } from "../../parts/Tally";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { RunStatus } from "./columns";

/** An undo is no update: what is shown is the newest run that did something of its own. */
export function newest(runs: Run[]): Run | undefined {
  return runs.find((run) => !run.undoes);
}

export function NewestRun({ runs }: { runs: Run[] }) {
  const run = newest(runs);
  return run ? <Shown run={run} back={runs.find((other) => other.undoes === run.id)} /> : null;
}

function Shown({ run, back }: { run: Run; back: Run | undefined }) {
  const detail = useApi<RunDetail>(get("/runs/{run}", { run: run.id }));
  const report = detail.data?.report;
  return (
    <Panel
      title={`Newest ${run.change}`}
      note={
        <Anchor component={Link} to={href.run(run.id)}>
          the run
        </Anchor>
      }
    >
      <Group gap={10} mb={8}>
        <RunStatus run={run} />
        <Time at={run.started_at} />
        {back ? (
          <Anchor component={Link} to={href.run(back.id)}>
            taken back
          </Anchor>
        ) : null}
      </Group>
      <TallyBar tally={run.tally} legend />
      <Facts
        facts={[
          [
            "Batches",
            report?.batch_count !== undefined
              ? `${number(report.batches_succeeded)} ended well, ${number(report.batches_failed)} with exceptions`
              : number(run.batches),
          ],
          // A run of one batch tells no errors of its own; the tally has them all the same.
          ["Left behind", count(report?.batch_errors?.length ?? run.tally.quarantined + run.tally.conflicted, "item")],
          ["Unchanged", count(report?.unchanged, "record")],
          ["Rows written", number(run.rows_written)],
          ["Took", duration(run.duration_ms)],
          ["Backup before", run.backup ? "made and verified" : "none"],
        ]}
      />
    </Panel>
  );
}
