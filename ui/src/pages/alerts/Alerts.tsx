// Incidents - what is wrong, who has it, who was told - and the rules that raise them.
import { Anchor, Button, Checkbox, Code } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { Undoable } from "../../api/types";
import { tableOfRows } from "../../api/views";
import { Act } from "../../parts/Act";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { count } from "../../parts/format";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { ViewTable } from "../../parts/ViewTable";
import { useSession } from "../../shell/session";
import type { AlertsAnswer, Incident } from "./types";

/** The incident after it was taken or resolved; neither can be taken back. */
interface Handled extends Undoable {
  incident: Incident;
}

const COLUMNS: Column<Incident>[] = [
  { id: "number", header: "No.", width: "60px", align: "right", value: (one) => one.number },
  {
    id: "status",
    header: "Status",
    width: "130px",
    value: (one) => one.status,
    cell: (one) => <Status word={one.status} />,
  },
  { id: "severity", header: "Severity", width: "84px", value: (one) => one.severity },
  { id: "title", header: "What is wrong", width: "minmax(260px, 3fr)", value: (one) => one.title },
  { id: "system", header: "System", width: "100px", value: (one) => one.system || "none" },
  { id: "times", header: "Signalled", width: "90px", align: "right", value: (one) => one.occurrences },
  { id: "who", header: "Taken by", width: "110px", value: (one) => one.acknowledged_by ?? "nobody" },
  {
    id: "first",
    header: "Since",
    width: "110px",
    value: (one) => one.first_at,
    cell: (one) => <Time at={one.first_at} form="ago" />,
  },
];

export function Alerts() {
  const [search, setSearch] = useFilters();
  const { can } = useSession();
  const query = useApi<AlertsAnswer>(get("/alerts", { all: search.all === "true" || undefined }));
  const [doing, setDoing] = useState<"acknowledge" | "resolve" | null>(null);
  const shown = query.data?.incidents ?? [];
  const open = shown.find((one) => one.id === search.incident) ?? shown[0];
  return (
    <Page
      title="Alerts"
      about="One incident for each cause: nobody is told twice of the same thing, and it ends by itself when the cause is gone."
    >
      <div className="grid">
        <Panel
          title="Incidents"
          className="w8"
          flush
          note={query.data ? count(shown.length, "incident") : null}
          actions={
            <>
              <Checkbox
                label="resolved too"
                checked={search.all === "true"}
                onChange={(event) => setSearch({ all: event.currentTarget.checked ? "true" : undefined })}
              />
              <CsvButton rows={shown} columns={COLUMNS} file="incidents" />
            </>
          }
        >
          <Answer query={query}>
            {() => (
              <DataTable
                label="Incidents"
                rows={shown}
                columns={COLUMNS}
                rowKey={(one) => one.id}
                current={open?.id ?? null}
                onOpen={(one) => setSearch({ incident: one.id })}
                height={460}
                empty={
                  <Empty title="Nothing is wrong">
                    An incident appears here when a check, a schedule, a playbook, a trigger of a flag or a budget asks
                    for a person.
                  </Empty>
                }
              />
            )}
          </Answer>
        </Panel>
        {open ? (
          <Panel
            title={`Incident ${open.number}`}
            className="w4"
            actions={
              open.status === "resolved" ? null : (
                <>
                  <Button
                    variant="default"
                    disabled={!can("operator", open.system) || open.acknowledged_by !== null}
                    onClick={() => setDoing("acknowledge")}
                  >
                    Take it
                  </Button>
                  <Button
                    variant="default"
                    disabled={!can("operator", open.system)}
                    onClick={() => setDoing("resolve")}
                  >
                    Resolve
                  </Button>
                </>
              )
            }
          >
            <Facts
              facts={[
                ["What", open.title],
                [
                  "Detail",
                  <span key="detail" style={{ whiteSpace: "pre-wrap" }}>
                    {open.detail || "none"}
                  </span>,
                ],
                ["Cause", <Code key="cause">{open.cause}</Code>],
                ["Runbook", open.runbook ? <Code key="runbook">{open.runbook}</Code> : "none"],
                ["First", <Time key="first" at={open.first_at} />],
                ["Last", <Time key="last" at={open.last_at} />],
                ["Resolved", open.resolution ?? "no"],
              ]}
            />
            <Anchor component={Link} to={`/checks?system=${encodeURIComponent(open.system)}`}>
              Checks of {open.system || "all systems"}
            </Anchor>
          </Panel>
        ) : null}
        <Panel title="What each severity asks of people" flush>
          <Answer query={query}>
            {(data) => <ViewTable label="Severities" table={tableOfRows(data.severities)} height={300} />}
          </Answer>
        </Panel>
      </div>
      {doing && open ? (
        <Act<Handled>
          opened
          onClose={() => setDoing(null)}
          title={doing === "acknowledge" ? `Take incident ${open.number}` : `Resolve incident ${open.number}`}
          confirm={doing === "acknowledge" ? "Take it" : "Resolve"}
          send={(reason) => {
            const of = { incident: open.id };
            return api.send(
              doing === "acknowledge"
                ? post("/incidents/{incident}/acknowledge", of, { reason })
                : post("/incidents/{incident}/resolve", of, { reason }),
            );
          }}
        />
      ) : null}
    </Page>
  );
}
