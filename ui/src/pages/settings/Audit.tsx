// Every request that changed something: who, what, when, and how it ended.
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Find, Pager } from "../../parts/Filters";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";

interface AuditLine {
  at: string;
  actor: string;
  method: string;
  route: string;
  path: string;
  status: number;
  request_id: string;
  reason: string;
}

const COLUMNS: Column<AuditLine>[] = [
  { id: "at", header: "At", width: "172px", value: (one) => one.at, cell: (one) => <Time at={one.at} form="full" /> },
  { id: "actor", header: "Who", width: "130px", value: (one) => one.actor },
  { id: "method", header: "Method", width: "80px", value: (one) => one.method },
  {
    id: "path",
    header: "What",
    width: "minmax(240px, 2fr)",
    value: (one) => one.path || one.route,
    cell: (one) => <span className="mono">{one.path || one.route}</span>,
  },
  {
    id: "status",
    header: "Answer",
    width: "100px",
    value: (one) => one.status,
    cell: (one) => (
      <Status word={String(one.status)} tone={one.status < 400 ? "good" : one.status < 500 ? "warn" : "bad"} />
    ),
  },
  { id: "reason", header: "Reason", width: "minmax(180px, 2fr)", value: (one) => one.reason },
  {
    id: "request",
    header: "Request",
    width: "150px",
    value: (one) => one.request_id,
    cell: (one) => <span className="mono">{one.request_id}</span>,
  },
];

const LIMIT = 500;

export function Audit() {
  const [search, setSearch] = useFilters();
  const offset = Number(search.offset ?? 0) || 0;
  const query = useApi<List<AuditLine>>(get("/audit", { actor: search.actor, limit: LIMIT, offset }));
  return (
    <Page title="Audit" about="Every request that changed something, or tried to, with who sent it and why.">
      <Panel
        title="Requests"
        flush
        note={
          query.data ? (
            <Pager
              offset={offset}
              limit={LIMIT}
              total={query.data.total}
              what="request"
              onMove={(to) => setSearch({ offset: String(to) })}
            />
          ) : null
        }
        actions={
          <>
            <Find
              label="Who"
              width={140}
              value={search.actor}
              onChange={(actor) => setSearch({ actor, offset: undefined })}
            />
            <CsvButton rows={query.data?.items ?? []} columns={COLUMNS} file="audit" />
          </>
        }
      >
        <Answer query={query}>
          {(data) => (
            <DataTable
              label="Audit"
              rows={data.items}
              columns={COLUMNS}
              rowKey={(one) => `${one.at} ${one.request_id}`}
              height={600}
              empty={<Empty title="Nothing was changed yet" />}
            />
          )}
        </Answer>
      </Panel>
    </Page>
  );
}
