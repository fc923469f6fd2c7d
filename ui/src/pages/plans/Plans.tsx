// All plans, newest first, and the way to make one.
import { Anchor, Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List, PlanLine } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Pager, SystemChoice } from "../../parts/Filters";
import { bytes, shortId } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { MakePlan } from "./MakePlan";

const LIMIT = 200;

const COLUMNS: Column<PlanLine>[] = [
  {
    id: "plan",
    header: "Plan",
    width: "130px",
    value: (plan) => plan.id,
    cell: (plan) => (
      <Anchor component={Link} to={href.plan(plan.id)} className="mono">
        {shortId(plan.id)}
      </Anchor>
    ),
  },
  { id: "system", header: "System", width: "100px", value: (plan) => plan.system },
  { id: "change", header: "Change", value: (plan) => (plan.undoes ? `${plan.change} (undo)` : plan.change) },
  {
    id: "status",
    header: "Status",
    width: "130px",
    value: (plan) => (plan.run ? `applied, ${plan.run.status}` : plan.status),
    cell: (plan) =>
      plan.run ? (
        <Anchor component={Link} to={href.run(plan.run.id)}>
          <Status
            word={plan.run.status}
            label={plan.run.status === "finished" ? "applied" : `applied, ${plan.run.status}`}
          />
        </Anchor>
      ) : (
        <Status
          word={plan.approved_by ? "approved" : plan.status}
          label={plan.approved_by ? `${plan.status}, approved` : undefined}
        />
      ),
  },
  { id: "items", header: "Items", width: "80px", align: "right", value: (plan) => plan.items },
  { id: "changes", header: "Row changes", width: "110px", align: "right", value: (plan) => plan.changes },
  { id: "refused", header: "Refused", width: "90px", align: "right", value: (plan) => plan.refused },
  { id: "unchanged", header: "Unchanged", width: "100px", align: "right", value: (plan) => plan.unchanged },
  {
    id: "journal",
    header: "Journal",
    width: "90px",
    align: "right",
    value: (plan) => plan.journal_bytes,
    cell: (plan) => bytes(plan.journal_bytes),
  },
  { id: "actor", header: "By", width: "90px", value: (plan) => plan.actor },
  {
    id: "made",
    header: "Made",
    width: "110px",
    value: (plan) => plan.created_at,
    cell: (plan) => <Time at={plan.created_at} form="ago" />,
  },
];

export function Plans() {
  const [search, setSearch] = useFilters();
  const navigate = useNavigate();
  const { can, session } = useSession();
  // Somebody may plan in one system only; the dialog then offers that one.
  const may = can("operator") || Object.keys(session.roles).some((system) => can("operator", system));
  const [making, setMaking] = useState(false);
  const offset = Number(search.offset ?? 0) || 0;
  const plans = useApi<List<PlanLine>>(get("/plans", { system: search.system, limit: LIMIT, offset }));
  return (
    <Page
      title="Plans"
      about="A plan is an unchangeable list of row changes. Nothing writes to a live table except by applying one."
      actions={
        <Button leftSection={<IconPlus size={14} />} disabled={!may} onClick={() => setMaking(true)}>
          Make a plan
        </Button>
      }
    >
      <Panel
        title="All plans"
        flush
        note={
          plans.data ? (
            <Pager
              offset={offset}
              limit={LIMIT}
              total={plans.data.total}
              what="plan"
              onMove={(to) => setSearch({ offset: String(to) })}
            />
          ) : null
        }
        actions={
          <>
            <SystemChoice value={search.system} onChange={(system) => setSearch({ system, offset: undefined })} />
            <CsvButton rows={plans.data?.items ?? []} columns={COLUMNS} file="plans" />
          </>
        }
      >
        <Answer query={plans}>
          {(data) => (
            <DataTable
              label="Plans"
              rows={data.items}
              columns={COLUMNS}
              rowKey={(plan) => plan.id}
              height={620}
              onOpen={(plan) => void navigate({ to: href.plan(plan.id) })}
              empty={<Empty title="No plans yet">A plan is made from a change that a system declares.</Empty>}
            />
          )}
        </Answer>
      </Panel>
      <MakePlan opened={making} onClose={() => setMaking(false)} system={search.system} />
    </Page>
  );
}
