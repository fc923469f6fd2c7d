// One member: where they stand, what is missing, what happened, and moving just this one.
import { Button, Group, Text } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { tableOfRows } from "../../api/views";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { Status } from "../../parts/Status";
import { ViewTable } from "../../parts/ViewTable";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { PilotAct, type PilotStep } from "./PilotAct";
import { type MemberDetail, PILOT } from "./types";

export function MemberPage() {
  const { member: customer = "" } = useParams({ strict: false }) as { member?: string };
  const query = useApi<MemberDetail>(get("/systems/{system}/pilot/members/{customer}", { ...PILOT, customer }), {
    every: 5,
  });
  const { can } = useSession();
  const [step, setStep] = useState<PilotStep | null>(null);
  const one = query.data?.members[0];
  const may = can("operator", "luckygas");
  return (
    <Page
      title={`Member ${customer}`}
      crumbs={[{ title: "Pilot", to: "/pilot" }]}
      about={one ? <Status word={one.stage} /> : null}
      actions={
        <Group gap={6}>
          {(["pause", "resume", "rollback"] as const).map((what) => (
            <Button key={what} variant="default" disabled={!may || !one} onClick={() => setStep(what)}>
              {{ pause: "Pause", resume: "Resume", rollback: "Roll back…" }[what]}
            </Button>
          ))}
          <Button component={Link} to={href.certificate(customer)} variant="default">
            Certificate
          </Button>
        </Group>
      }
    >
      <Answer query={query}>
        {(data) => (
          <div className="grid">
            <Panel title="Where they stand" className="w4">
              <Facts
                facts={[
                  ["Stage", one?.stage.replaceAll("_", " ") ?? "not a member"],
                  ["Who writes", one?.writer ?? "nobody"],
                  ["Reads", one?.reads ?? "legacy"],
                  ["Canary", one?.canary ? "yes" : "no"],
                  ["Paused", one?.paused ? "yes" : "no"],
                  ["Epoch", String(one?.epoch ?? "none")],
                  ["Missing", one?.missing.join("; ") || "nothing"],
                ]}
              />
              {data.held.map((held) => (
                <Text key={`${held.entity} ${held.key}`} mt="sm">
                  {held.entity} {held.key}: {held.why}
                </Text>
              ))}
            </Panel>
            <Panel title="What happened" className="w8" flush>
              <ViewTable
                label="What happened"
                table={tableOfRows(data.happened)}
                height={420}
                empty="Nothing has happened yet"
              />
            </Panel>
          </div>
        )}
      </Answer>
      {step ? <PilotAct step={step} customers={[customer]} onClose={() => setStep(null)} /> : null}
    </Page>
  );
}
