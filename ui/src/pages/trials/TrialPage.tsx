// One trial: the decision with every criterion, what was validated, and how fast it was; made for print too.
import { Button, Group, Table, Text } from "@mantine/core";
import { IconPrinter } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { count, duration, measured, number, shortId } from "../../parts/format";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../shell/places";
import { TONES } from "./Trials";
import type { Criterion, Held, PathSpeed, TrialDetail, TrialReport } from "./types";

const SIGNS: Record<Criterion["comparison"], string> = {
  below: "<",
  above: ">",
  at_most: "≤",
  at_least: "≥",
  exactly: "=",
};
const STANDINGS = { met: "good", not_met: "bad", unknown: "idle" } as const;

/** What was counted, in the words of the written report. */
const COUNTED: Record<string, string> = {
  cut_as_asked: "Batches of the asked sizes, equal totals of both paths",
  committed: "Good items committed by the batch path",
  neighbours: "Injected failures without effect on other items",
  recorded: "Failed items on record, figures equal to the journal",
  switched: "Runs the way the switch asked for",
  fell_back: "Fallbacks by switching off",
  kept: "Rows still there",
  undone: "Exact undos",
  recovered: "Requirements after interruptions",
  sound: "Integrity, foreign keys, receipts, tables",
  clear: "Refusals with class, reason and hint",
};

export function TrialPage() {
  const { trial = "" } = useParams({ strict: false }) as { trial?: string };
  const query = useApi<TrialDetail>(get("/trials/{trial}", { trial }), { every: false });
  const found = query.data;
  return (
    <Page
      title={found ? `Trial: ${found.system} ${found.change}` : "Trial"}
      crumbs={[
        { title: "Systems", to: "/systems" },
        ...(found ? [{ title: found.system, to: href.system(found.system) }] : []),
      ]}
      about={
        found ? (
          <Group gap={10}>
            <Status word={found.verdict} tone={TONES[found.verdict]} />
            <span className="mono">{shortId(found.id)}</span>
            <Time at={found.at} />
          </Group>
        ) : null
      }
      actions={
        <Button variant="default" leftSection={<IconPrinter size={14} />} onClick={() => window.print()}>
          Print
        </Button>
      }
    >
      <Answer query={query}>
        {(data) => (
          <div className="grid">
            <About trial={data} />
            <Panel title="What blocks it" className="w8" flush>
              {data.report.decision.blocking.length === 0 ? (
                <Empty title="Nothing blocks it" />
              ) : (
                <ul style={{ margin: 0, padding: "10px 14px 10px 30px" }}>
                  {data.report.decision.blocking.map((line) => (
                    <li key={line}>{line}</li>
                  ))}
                </ul>
              )}
            </Panel>
            <Criteria criteria={data.report.decision.criteria} />
            {data.report.validation ? <Validation of={data.report.validation} /> : null}
            {data.report.trial ? <Speeds of={data.report.trial} /> : null}
          </div>
        )}
      </Answer>
    </Page>
  );
}

function About({ trial }: { trial: TrialDetail }) {
  const { about } = trial.report;
  return (
    <Panel title="What was tried" className="w4">
      <Facts
        facts={[
          ["Items", `${number(about.items)} (${number(about.good)} good, ${number(about.bad)} bad)`],
          ["Row changes", number(about.changes)],
          ["Store", `${about.store}, copied and never written`],
          ["Source", about.source],
          ["Took", duration(trial.duration_ms)],
          ["Scratch stores", `durability ${about.durability}`],
          ["By", trial.actor],
          ["Reason", trial.reason || "none given"],
          ["Reports", trial.folder],
        ]}
      />
      {about.notes.map((note) => (
        <Text key={note} size="xs">
          {note}
        </Text>
      ))}
    </Panel>
  );
}

function Lines({ label, heads, rows }: { label: string; heads: string[]; rows: ReactNode[][] }) {
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {heads.map((head) => (
              <Table.Th key={head}>{head}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((cells, row) => (
            // The lines of a report never move.
            // biome-ignore lint/suspicious/noArrayIndexKey: neither do its cells
            <Table.Tr key={row}>
              {cells.map((cell, column) => (
                <Table.Td key={heads[column]}>{cell}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

const yes = (is: boolean) => <Status word={is ? "yes" : "no"} tone={is ? "good" : "bad"} />;

function Criteria({ criteria }: { criteria: Criterion[] }) {
  return (
    <Panel title="Criteria" flush note={count(criteria.length, "criterion", "criteria")}>
      <Lines
        label="Criteria"
        heads={["", "Standing", "Measured", "Asked", "Criterion", "From"]}
        rows={criteria.map((one) => [
          one.id,
          <Status
            key="standing"
            word={one.standing}
            label={one.standing.replace("_", " ")}
            tone={STANDINGS[one.standing]}
          />,
          measured(one.value, one.unit),
          `${SIGNS[one.comparison]} ${measured(one.threshold, one.unit)}`,
          one.guards_data ? `${one.text} (guards data)` : one.text,
          one.basis,
        ])}
      />
    </Panel>
  );
}

function isHeld(value: Held | number | null): value is Held {
  return typeof value === "object" && value !== null;
}

function Validation({ of }: { of: NonNullable<TrialReport["validation"]> }) {
  return (
    <>
      <Panel title="What held, of how often it was looked at" className="w6" flush>
        <Lines
          label="What held"
          heads={["What", "Held", "What did not"]}
          rows={Object.entries(of.counted).flatMap(([name, held]) =>
            isHeld(held)
              ? [[COUNTED[name] ?? name, `${number(held.good)} of ${number(held.of)}`, held.problems.join("; ")]]
              : [],
          )}
        />
      </Panel>
      <Panel title="Interruptions" className="w6" flush>
        <Lines
          label="Interruptions"
          heads={["Ended at", "Batches before", "Nothing half done", "Resumed to the same", "Undone"]}
          rows={of.interruptions.map((one) => [
            one.point,
            number(one.committed_batches),
            yes(one.nothing_half_done),
            yes(one.resumed_to_the_same),
            yes(one.undone_exactly),
          ])}
        />
      </Panel>
      <Panel title="Injected failures" flush note={of.injections.left_out.join("; ")}>
        <Lines
          label="Injected failures"
          heads={["Kind", "Case", "Batch size", "Injected", "Good committed", "Exactly the bad", "Tables as without"]}
          rows={of.injections.cases.map((one) => [
            one.kind,
            one.case,
            number(one.batch_size),
            number(one.injected),
            `${number(one.committed)} of ${number(one.good)}`,
            yes(one.exactly_the_bad),
            yes(one.tables_as_without),
          ])}
        />
      </Panel>
    </>
  );
}

function Speeds({ of }: { of: NonNullable<TrialReport["trial"]> }) {
  const { speed, memory, observation } = of;
  const row = (path: PathSpeed) => [
    path.batch_size === null ? "plain path" : `batches of ${number(path.batch_size)}`,
    number(path.batches),
    duration(path.apply_ms.p50),
    path.batch_ms ? `${duration(path.batch_ms.p50)} / ${duration(path.batch_ms.p99)}` : "",
    number(path.rows_per_second),
    duration(path.undo_ms),
    path.slower_than_plain_percent ? `${measured(path.slower_than_plain_percent.p50, "%")}` : "",
  ];
  return (
    <>
      <Panel
        title="The plain path and the batch path"
        className="w8"
        flush
        note={`medians of ${number(speed.rounds)} rounds`}
      >
        <Lines
          label="Speeds"
          heads={["Path", "Batches", "Apply", "Batch p50 / p99", "Rows/s", "Undo", "Slower than plain"]}
          rows={[speed.plain, ...speed.sizes].map(row)}
        />
      </Panel>
      <Panel title="Two simulated days" className="w4">
        <Facts
          facts={[
            ["Hours", number(observation.hours)],
            ["Updates", `${number(observation.updates)}, ${number(observation.with_work)} with work`],
            ["Ended well", `${number(observation.success.good)} of ${number(observation.success.of)}`],
            ["Apply, p50 / p99", `${duration(observation.apply_ms?.p50)} / ${duration(observation.apply_ms?.p99)}`],
            ["Memory grew by", memory.growth_mb === null ? "not known" : measured(memory.growth_mb, "MB")],
          ]}
        />
      </Panel>
    </>
  );
}
