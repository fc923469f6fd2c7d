// The members: where each stands, who writes, what is missing for the next stage.
import { Anchor, Checkbox } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { List } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Choice, Find } from "../../parts/Filters";
import { count } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { type PilotMember, STAGES } from "./types";

const COLUMNS: Column<PilotMember>[] = [
  {
    id: "customer",
    header: "Customer",
    width: "130px",
    value: (one) => one.customer,
    cell: (one) => (
      <Anchor component={Link} to={href.member(one.customer)} className="mono">
        {one.customer}
      </Anchor>
    ),
  },
  {
    id: "stage",
    header: "Stage",
    width: "150px",
    value: (one) => STAGES.findIndex((stage) => stage.stage === one.stage),
    cell: (one) => (
      <Status
        word={one.stage}
        label={`${one.stage.replaceAll("_", " ")}${one.paused ? ", paused" : ""}`}
        tone={one.paused ? "warn" : undefined}
      />
    ),
  },
  { id: "writer", header: "Who writes", width: "100px", value: (one) => one.writer },
  { id: "reads", header: "Reads", width: "100px", value: (one) => one.reads },
  { id: "canary", header: "Canary", width: "80px", value: (one) => (one.canary ? "yes" : "no") },
  {
    id: "missing",
    header: "Missing for the next stage",
    width: "minmax(240px, 3fr)",
    value: (one) => one.missing.join("; ") || "nothing",
  },
];

export function Members({ query }: { query: UseQueryResult<List<PilotMember>> }) {
  const [search, setSearch] = useFilters();
  const navigate = useNavigate();
  const list = query.data?.items ?? [];
  const shown = list.filter(
    (one) =>
      (!search.stage || one.stage === search.stage) &&
      (search.canary !== "true" || one.canary) &&
      (!search.find || one.customer.toLowerCase().includes(search.find.toLowerCase())),
  );
  return (
    <Panel
      title="Members"
      flush
      note={query.data ? count(shown.length, "member") : null}
      actions={
        <>
          <Checkbox
            label="canaries only"
            checked={search.canary === "true"}
            onChange={(event) => setSearch({ canary: event.currentTarget.checked ? "true" : undefined })}
          />
          <Choice
            label="Stage"
            width={140}
            value={search.stage}
            onChange={(stage) => setSearch({ stage })}
            options={STAGES.map((one) => one.stage)}
          />
          <Find label="Customer" width={140} value={search.find} onChange={(find) => setSearch({ find })} />
          <CsvButton rows={shown} columns={COLUMNS} file="pilot-members" />
        </>
      }
    >
      <Answer query={query}>
        {() => (
          <DataTable
            label="Members of the pilot"
            rows={shown}
            columns={COLUMNS}
            rowKey={(one) => one.customer}
            height={480}
            onOpen={(one) => void navigate({ to: href.member(one.customer) })}
            empty={<Empty title="No members">Select a cohort and enrol it.</Empty>}
          />
        )}
      </Answer>
    </Panel>
  );
}
