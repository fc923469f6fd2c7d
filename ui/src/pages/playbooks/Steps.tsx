// The steps of a playbook, each with how it stands and how it is taken back.
import { Group, Text } from "@mantine/core";
import { duration } from "../../parts/format";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import type { Approval, PlaybookEntry, PlaybookStep } from "./types";

export function Steps({
  steps,
  entries = [],
  approvals = [],
}: {
  steps: PlaybookStep[];
  entries?: PlaybookEntry[];
  approvals?: Approval[];
}) {
  return (
    <ol style={{ listStyle: "none", margin: 0, padding: 0 }}>
      {steps.map((step) => {
        const own = entries.filter((entry) => entry.step === step.id);
        const last = own.at(-1);
        const approval = approvals.find((one) => one.step === step.id);
        return (
          <li key={step.id} style={{ padding: "9px 14px", borderBottom: "1px solid var(--pl-line)" }}>
            <Group justify="space-between" gap={8} wrap="nowrap" align="flex-start">
              <div style={{ minWidth: 0 }}>
                <Text fw={550}>{step.title || step.id}</Text>
                <Text c="dimmed" className="mono" size="xs" style={{ overflowWrap: "anywhere" }}>
                  {step.run ?? (step.gate ? `gate ${step.gate}` : step.flag ? `flag ${step.flag}` : step.kind)}
                </Text>
                <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                  {step.rollback.length > 0
                    ? `way back: ${step.rollback.join("; ")}`
                    : (step.nothing_to_take_back ?? "")}
                </Text>
                {approval ? (
                  <Text size="xs">
                    approved by {approval.actor}, <Time at={approval.at} form="ago" />
                    {approval.reason ? `: ${approval.reason}` : ""}
                  </Text>
                ) : null}
                {last?.message ? (
                  <Text role={last.status === "failed" ? "alert" : undefined} size="xs">
                    {last.message}
                  </Text>
                ) : null}
                {last?.output ? (
                  <details>
                    <summary style={{ cursor: "pointer", fontSize: 12 }}>output</summary>
                    <pre className="plain">{last.output}</pre>
                  </details>
                ) : null}
              </div>
              <div style={{ textAlign: "right", flex: "none" }}>
                <Status
                  word={last?.status ?? "waiting"}
                  label={last ? `${last.action === "undo" ? "way back " : ""}${last.status}` : step.kind}
                  tone={last ? undefined : "idle"}
                />
                {last ? (
                  <Text size="xs" c="dimmed">
                    <Time at={last.started_at} form="ago" />
                    {last.finished_at
                      ? `, ${duration(new Date(last.finished_at).getTime() - new Date(last.started_at).getTime())}`
                      : ""}
                  </Text>
                ) : null}
              </div>
            </Group>
          </li>
        );
      })}
    </ol>
  );
}
