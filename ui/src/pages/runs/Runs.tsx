// All runs, newest first.
import { useNavigate } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { type List, RUN_STATUSES, type Run } from "../../api/types";
import { CsvButton, DataTable } from "../../parts/DataTable";
import { Choice, Find, Pager, SystemChoice } from "../../parts/Filters";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { RUN_COLUMNS } from "./columns";

const LIMIT = 500;

export function Runs() {
  const [search, setSearch] = useFilters();
  const navigate = useNavigate();
  const offset = Number(search.offset ?? 0) || 0;
  const { system, change, status } = search;
  const runs = useApi<List<Run>>(get("/runs", { system, change, status, limit: LIMIT, offset }));
  return (
    <Page title="Runs" about="Each run applies one plan in batches, and can be taken back.">
      <Panel
        title="All runs"
        flush
        actions={
          <>
            <SystemChoice value={system} onChange={(chosen) => setSearch({ system: chosen, offset: undefined })} />
            <Choice
              label="Status"
              value={status}
              onChange={(chosen) => setSearch({ status: chosen, offset: undefined })}
              options={[...RUN_STATUSES]}
            />
            <Find
              label="Change"
              value={change}
              onChange={(text) => setSearch({ change: text, offset: undefined })}
              width={150}
            />
            <CsvButton rows={runs.data?.items ?? []} columns={RUN_COLUMNS} file="runs" />
          </>
        }
        note={
          runs.data ? (
            <Pager
              offset={offset}
              limit={LIMIT}
              total={runs.data.total}
              what="run"
              onMove={(to) => setSearch({ offset: String(to) })}
            />
          ) : null
        }
      >
        <Answer query={runs}>
          {(data) => (
            <DataTable
              label="Runs"
              rows={data.items}
              columns={RUN_COLUMNS}
              rowKey={(run) => run.id}
              height={620}
              onOpen={(run) => void navigate({ to: href.run(run.id) })}
              empty={<Empty title="No runs">Make a plan and apply it; the run then stands here.</Empty>}
            />
          )}
        </Answer>
      </Panel>
    </Page>
  );
}
