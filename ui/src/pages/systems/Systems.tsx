// The systems that this server serves, and what each can do.
import { Anchor } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { SystemInfo } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { href } from "../../shell/places";

const COLUMNS: Column<SystemInfo>[] = [
  {
    id: "name",
    header: "System",
    width: "130px",
    value: (one) => one.name,
    cell: (one) => (
      <Anchor component={Link} to={href.system(one.name)} fw={550}>
        {one.name}
      </Anchor>
    ),
  },
  { id: "title", header: "What it is for", width: "minmax(260px, 3fr)", value: (one) => one.title },
  {
    id: "store",
    header: "Store",
    width: "minmax(180px, 1fr)",
    value: (one) => one.store,
    cell: (one) => <span className="mono">{one.store}</span>,
  },
  { id: "tables", header: "Tables", width: "80px", align: "right", value: (one) => one.tables.length },
  {
    id: "changes",
    header: "Changes",
    width: "minmax(140px, 1fr)",
    value: (one) => one.changes.map((change) => change.name).join(", ") || "none",
  },
  { id: "link", header: "Link", width: "90px", value: (one) => one.link ?? "none" },
];

export function Systems() {
  const query = useApi<SystemInfo[]>(get("/systems"));
  const navigate = useNavigate();
  return (
    <Page
      title="Systems"
      about="Each system declares its tables, the changes that can be planned, its checks and its links."
    >
      <Panel
        title="Systems of this server"
        flush
        actions={<CsvButton rows={query.data ?? []} columns={COLUMNS} file="systems" />}
      >
        <Answer query={query}>
          {(data) => (
            <DataTable
              label="Systems"
              rows={data}
              columns={COLUMNS}
              rowKey={(one) => one.name}
              onOpen={(one) => void navigate({ to: href.system(one.name) })}
              empty={<Empty title="No systems" />}
            />
          )}
        </Answer>
      </Panel>
    </Page>
  );
}
