// The migration dashboard: where everybody stands, who is chosen, whether both sides agree, and moving on or back (LG-17).
import { Button, Group, Tabs, Text } from "@mantine/core";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List } from "../../api/types";
import { number } from "../../parts/format";
import { Page, Panel, Stats } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { Status } from "../../parts/Status";
import { useFilters } from "../../parts/useFilters";
import { useSession } from "../../shell/session";
import { CarryNow } from "./CarryNow";
import { Members } from "./Members";
import { ParityPanel } from "./ParityPanel";
import { PilotAct, type PilotStep } from "./PilotAct";
import { SelectCohort } from "./SelectCohort";
import { PILOT, type PilotMember, type PilotStatus, STAGES, stageCounts } from "./types";

export function Pilot() {
  const [search, setSearch] = useFilters();
  const { can } = useSession();
  const status = useApi<PilotStatus>(get("/systems/{system}/pilot", PILOT), { every: 5 });
  const members = useApi<List<PilotMember>>(get("/systems/{system}/pilot/members", PILOT, { limit: 1000 }), {
    every: 5,
  });
  const [step, setStep] = useState<PilotStep | null>(null);
  const may = can("operator", "luckygas");
  const tab = search.tab ?? "members";
  return (
    <Page
      title="Pilot"
      crumbs={[{ title: "luckygas", to: "/systems/luckygas" }]}
      about="Customers move from the legacy database to the new one, one by one, while both are in use - and back, with a certificate."
      actions={
        <>
          <CarryNow disabled={!may || !status.data} />
          {(["start", "pause", "resume", "advance", "rollback"] as const).map((one) => (
            <Button
              key={one}
              variant={one === "advance" ? "filled" : "default"}
              disabled={!may || !status.data}
              onClick={() => setStep(one)}
            >
              {{ start: "Start", pause: "Pause", resume: "Resume", advance: "Advance…", rollback: "Roll back…" }[one]}
            </Button>
          ))}
        </>
      }
    >
      <Answer query={status}>
        {(data) => (
          <>
            <Figures status={data} />
            <Panel title="Stages" flush>
              <Funnel status={data} chosen={search.stage} onPick={(stage) => setSearch({ stage, tab: "members" })} />
            </Panel>
          </>
        )}
      </Answer>
      {status.data || members.data ? (
        <Tabs value={tab} onChange={(to) => setSearch({ tab: to ?? undefined })} keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="members">Members</Tabs.Tab>
            <Tabs.Tab value="selection">Selection</Tabs.Tab>
            <Tabs.Tab value="parity">Parity</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="members" pt={12}>
            <Members query={members} />
          </Tabs.Panel>
          <Tabs.Panel value="selection" pt={12}>
            <SelectCohort />
          </Tabs.Panel>
          <Tabs.Panel value="parity" pt={12}>
            <ParityPanel />
          </Tabs.Panel>
        </Tabs>
      ) : null}
      {step ? <PilotAct step={step} customers={[]} onClose={() => setStep(null)} /> : null}
    </Page>
  );
}

function Figures({ status }: { status: PilotStatus }) {
  const { report } = status;
  const conflicts = report.links.reduce((sum, link) => sum + link.status.conflicts, 0);
  const waiting = report.links.reduce((sum, link) => sum + link.status.due, 0);
  const of = (...stages: string[]) => stages.reduce((sum, stage) => sum + (report.stages[stage] ?? 0), 0);
  return (
    <Stats
      figures={[
        { label: "Members", value: number(report.members) },
        { label: "Migrated", value: number(of("soak", "done")), hint: "the new side writes" },
        { label: "On their way", value: number(report.members - of("soak", "done", "rolled_back", "waiting")) },
        { label: "Rolled back", value: number(of("rolled_back")) },
        { label: "Cannot be carried", value: number(report.held) },
        {
          label: "Reads compared",
          value: number(report.reads_compared),
          hint: `${number(report.reads_differing)} differed`,
        },
        { label: "Operations waiting", value: number(waiting) },
        { label: "Conflicts", value: number(conflicts) },
        { label: "Certificates", value: number(report.certificates) },
        { label: "Forced steps", value: number(report.forced_steps) },
      ]}
    />
  );
}

function Funnel({
  status,
  chosen,
  onPick,
}: {
  status: PilotStatus;
  chosen: string | undefined;
  onPick: (stage: string | undefined) => void;
}) {
  const counts = stageCounts(status);
  const most = Math.max(1, ...counts.map((one) => one.count));
  return (
    <ol
      style={{
        listStyle: "none",
        margin: 0,
        padding: 8,
        display: "grid",
        gap: 4,
        gridTemplateColumns: "repeat(auto-fill, minmax(150px, 1fr))",
      }}
    >
      {counts.map(({ stage, count }) => {
        const about = STAGES.find((one) => one.stage === stage);
        return (
          <li key={stage}>
            <button
              type="button"
              aria-pressed={chosen === stage}
              onClick={() => onPick(chosen === stage ? undefined : stage)}
              style={{
                all: "unset",
                boxSizing: "border-box",
                cursor: "pointer",
                width: "100%",
                padding: "8px 10px",
                borderRadius: 6,
                border: `1px solid ${chosen === stage ? "var(--mantine-color-sea-6)" : "var(--pl-line)"}`,
              }}
              title={about?.says}
            >
              <Group justify="space-between" gap={6} wrap="nowrap">
                <Status word={stage} tone={count === 0 ? "idle" : undefined} />
                <Text className="num" fw={600}>
                  {number(count)}
                </Text>
              </Group>
              <div aria-hidden style={{ height: 4, marginTop: 6, borderRadius: 2, background: "var(--pl-line)" }}>
                <div
                  style={{
                    width: `${(count / most) * 100}%`,
                    height: "100%",
                    borderRadius: 2,
                    background: "var(--mantine-color-sea-6)",
                  }}
                />
              </div>
              <Text size="xs" c="dimmed" mt={4}>
                {about ? `${about.writer} writes` : ""}
              </Text>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
