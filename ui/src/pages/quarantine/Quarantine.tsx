// Items that runs could not take, with the reason, waiting to be repaired.
import { Anchor, Checkbox } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List, Quarantined } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Choice, Find } from "../../parts/Filters";
import { count, shortId } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";

export const QUARANTINE_COLUMNS: Column<Quarantined>[] = [
  {
    id: "label",
    header: "Item",
    width: "minmax(150px, 1fr)",
    value: (item) => item.label,
    cell: (item) => (
      <Anchor component={Link} to={href.quarantined(item.id)}>
        {item.label}
      </Anchor>
    ),
  },
  {
    id: "status",
    header: "Status",
    width: "100px",
    value: (item) => item.status,
    cell: (item) => <Status word={item.status} />,
  },
  { id: "system", header: "System", width: "100px", value: (item) => item.system },
  { id: "class", header: "Class", width: "110px", value: (item) => item.class },
  { id: "reason", header: "Reason", width: "minmax(280px, 4fr)", value: (item) => item.reason },
  { id: "rows", header: "Rows", width: "70px", align: "right", value: (item) => item.changes.length },
  {
    id: "run",
    header: "Run",
    width: "130px",
    value: (item) => item.run,
    cell: (item) => (
      <Anchor component={Link} to={href.run(item.run)} className="mono">
        {shortId(item.run)}
      </Anchor>
    ),
  },
];

export function Quarantine() {
  const [search, setSearch] = useFilters();
  const navigate = useNavigate();
  const all = search.all === "true";
  const query = useApi<List<Quarantined>>(get("/quarantine", { run: search.run, all: all || undefined, limit: 500 }));
  const items = query.data?.items ?? [];
  const shown = items.filter(
    (item) =>
      (!search.class || item.class === search.class) &&
      (!search.find || `${item.label} ${item.reason}`.toLowerCase().includes(search.find.toLowerCase())),
  );
  return (
    <Page
      title="Quarantine"
      about="One bad row never takes its neighbours with it: it stands here with its reason until it is repaired and replayed into its run."
    >
      <Panel
        title={all ? "All items" : "Open items"}
        note={query.data ? count(shown.length, "item") : null}
        flush
        actions={
          <>
            {search.run ? (
              <Anchor component="button" type="button" onClick={() => setSearch({ run: undefined })} size="sm">
                of run {shortId(search.run)} ✕
              </Anchor>
            ) : null}
            <Checkbox
              label="settled too"
              checked={all}
              onChange={(event) => setSearch({ all: event.currentTarget.checked ? "true" : undefined })}
            />
            <Choice
              label="Class"
              width={120}
              value={search.class}
              onChange={(chosen) => setSearch({ class: chosen })}
              options={[...new Set(items.map((item) => item.class))].sort()}
            />
            <Find label="Find in items and reasons" value={search.find} onChange={(find) => setSearch({ find })} />
            <CsvButton rows={shown} columns={QUARANTINE_COLUMNS} file="quarantine" />
          </>
        }
      >
        <Answer query={query}>
          {() => (
            <DataTable
              label="Quarantined items"
              rows={shown}
              columns={QUARANTINE_COLUMNS}
              rowKey={(item) => item.id}
              height={620}
              onOpen={(item) => void navigate({ to: href.quarantined(item.id) })}
              empty={
                <Empty title="Nothing in quarantine">Every item of every run was taken, or has been settled.</Empty>
              }
            />
          )}
        </Answer>
      </Panel>
    </Page>
  );
}
