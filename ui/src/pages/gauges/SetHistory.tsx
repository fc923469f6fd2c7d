// Everything that happened to a set, in order, each line with who, when, what and why (GS-14).
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Time } from "../../parts/Time";
import type { HistoryLine } from "./types";

function detail(line: HistoryLine): string {
  return Object.entries(line.detail)
    .map(([name, one]) => `${name} ${typeof one === "object" ? JSON.stringify(one) : String(one)}`)
    .join(" · ");
}

export const HISTORY_COLUMNS: Column<HistoryLine>[] = [
  { id: "entry", header: "Line", width: "70px", align: "right", value: (one) => one.entry },
  { id: "at", header: "At", width: "172px", value: (one) => one.at, cell: (one) => <Time at={one.at} form="full" /> },
  { id: "actor", header: "Who", width: "110px", value: (one) => one.actor },
  { id: "operation", header: "What", width: "140px", value: (one) => one.operation },
  { id: "reason", header: "Why", width: "minmax(180px, 2fr)", value: (one) => one.reason },
  { id: "detail", header: "From what to what", width: "minmax(220px, 3fr)", value: detail },
  {
    id: "digest",
    header: "Digest",
    width: "120px",
    value: (one) => one.digest,
    cell: (one) => <span className="mono">{one.digest.slice(0, 12)}</span>,
  },
];

export function SetHistory({ set }: { set: string }) {
  const query = useApi<List<HistoryLine>>(get("/gauge-sets/{set}/history", { set }, { limit: 1000 }));
  return (
    <Panel
      title="History"
      flush
      actions={<CsvButton rows={query.data?.items ?? []} columns={HISTORY_COLUMNS} file={`history-${set}`} />}
    >
      <Answer query={query}>
        {(data) => (
          <DataTable
            label="History of the set"
            rows={data.items}
            columns={HISTORY_COLUMNS}
            rowKey={(one) => String(one.entry)}
            height={360}
            initialSort={[{ id: "entry", desc: true }]}
            empty={<Empty title="No history" />}
          />
        )}
      </Answer>
    </Panel>
  );
}
