// What runs by itself: when, what, how it went, and starting or stopping it.
import { Button, Group } from "@mantine/core";
import { useMemo, useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { List, Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useSession } from "../../shell/session";

interface Schedule {
  name: string;
  cron: string;
  zone: string;
  command: string[];
  enabled: boolean;
  due_at: string | null;
  severity: string;
  missed: "skip" | "once" | "all";
  limit_minutes: number;
  created_at: string;
  changed_at: string;
}

interface ScheduleRun {
  id: string;
  due_at: string;
  started_at: string;
  finished_at: string | null;
  outcome: string;
  exit_code: number | null;
  duration_ms: number | null;
  output: string;
}

/** A schedule with its time in words and its newest runs. */
interface Line {
  schedule: Schedule;
  in_words: string;
  runs: ScheduleRun[];
}

type Step = "run" | "pause" | "resume";
const WORDS: Record<Step, string> = { run: "Run now", pause: "Pause", resume: "Resume" };
const REQUESTS = {
  run: (name: string, reason: string) => post("/schedules/{name}/run", { name }, { reason }),
  pause: (name: string, reason: string) => post("/schedules/{name}/pause", { name }, { reason }),
  resume: (name: string, reason: string) => post("/schedules/{name}/resume", { name }, { reason }),
};

export function Schedules() {
  const query = useApi<List<Line>>(get("/schedules", { limit: 500 }));
  const { can } = useSession();
  const [doing, setDoing] = useState<{ step: Step; name: string } | null>(null);
  const rows = query.data?.items ?? [];
  const may = can("operator");
  const columns = useMemo<Column<Line>[]>(
    () => [
      { id: "name", header: "Schedule", width: "minmax(150px, 1fr)", value: (one) => one.schedule.name },
      {
        id: "state",
        header: "State",
        width: "100px",
        value: (one) => (one.schedule.enabled ? "on" : "paused"),
        cell: (one) => <Status word={one.schedule.enabled ? "on" : "paused"} />,
      },
      {
        id: "cron",
        header: "When",
        width: "140px",
        value: (one) => one.schedule.cron,
        cell: (one) => <span className="mono">{one.schedule.cron}</span>,
      },
      {
        id: "zone",
        header: "In words",
        width: "minmax(140px, 1fr)",
        value: (one) => [one.in_words, one.schedule.zone].filter(Boolean).join(", "),
      },
      {
        id: "command",
        header: "What",
        width: "minmax(180px, 2fr)",
        value: (one) => one.schedule.command.join(" "),
        cell: (one) => <span className="mono">plimsoll {one.schedule.command.join(" ")}</span>,
      },
      {
        id: "last",
        header: "Last time",
        width: "150px",
        value: (one) => one.runs[0]?.outcome ?? "never",
        cell: (one) => (one.runs[0] ? <Status word={one.runs[0].outcome} /> : "never"),
      },
      {
        id: "due",
        header: "Next",
        width: "120px",
        value: (one) => one.schedule.due_at,
        cell: (one) => <Time at={one.schedule.due_at} form="ago" />,
      },
      {
        id: "do",
        header: "",
        width: "170px",
        sortable: false,
        value: () => null,
        cell: (one) => (
          <Group gap={4} wrap="nowrap">
            {([one.schedule.enabled ? "pause" : "resume", "run"] as const).map((step) => (
              <Button
                key={step}
                size="compact-xs"
                variant="default"
                disabled={!may}
                onClick={() => setDoing({ step, name: one.schedule.name })}
              >
                {WORDS[step]}
              </Button>
            ))}
          </Group>
        ),
      },
    ],
    [may],
  );
  return (
    <Page
      title="Schedules"
      about="A schedule's time is claimed, recorded and moved on in one transaction: it runs once, however many servers there are."
    >
      <Panel
        title="All schedules"
        flush
        actions={<CsvButton rows={rows} columns={columns.slice(0, -1)} file="schedules" />}
      >
        <Answer query={query}>
          {() => (
            <DataTable
              label="Schedules"
              rows={rows}
              columns={columns}
              rowKey={(one) => one.schedule.name}
              height={480}
              empty={
                <Empty title="Nothing runs by itself">
                  Ready-made schedules are added with <code>plimsoll schedule add NAME</code>.
                </Empty>
              }
            />
          )}
        </Answer>
      </Panel>
      {doing ? (
        <Act<Undoable>
          opened
          onClose={() => setDoing(null)}
          title={`${WORDS[doing.step]}: ${doing.name}`}
          confirm={WORDS[doing.step]}
          send={(reason) => api.send(REQUESTS[doing.step](doing.name, reason))}
        />
      ) : null}
    </Page>
  );
}
