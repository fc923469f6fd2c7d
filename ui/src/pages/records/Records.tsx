// The grid of linked records: filtered and ordered by the server, loaded as one scrolls, edited as drafts.
import { ActionIcon, Button, Group, Text } from "@mantine/core";
import { IconUpload, IconX } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { LinkedRecord, RecordPage as PageOf, SyncStatus } from "../../api/sync";
import type { FieldMembers } from "../../api/undescribed";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Choice, Find } from "../../parts/Filters";
import { count, NOTHING } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Empty, Failed, Loading } from "../../parts/States";
import { Status } from "../../parts/Status";
import { type Search, useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { Drafts } from "./Drafts";
import { EditRecord } from "./EditRecord";
import { Figures } from "./Figures";
import { ImportCsv } from "./ImportCsv";

/** The six states of a record, and limbo, whose outcome nobody knows yet. */
export const STATES = ["draft", "queued", "syncing", "synced", "conflict", "failed", "limbo"];
const PAGE = 1000;
/** Filters of fields stand in the address under this prefix, so that no field can be mistaken for another member. */
const PREFIX = "f_";

export function fieldFilters(search: Search): Record<string, string> {
  return Object.fromEntries(
    Object.entries(search)
      .filter((entry): entry is [string, string] => entry[0].startsWith(PREFIX) && entry[1] !== undefined)
      .map(([name, value]) => [name.slice(PREFIX.length), value]),
  );
}

/** As the server reads them: a field stays a field when it is called like another member of the query. */
export function asFields(filters: Record<string, string>): FieldMembers {
  return Object.fromEntries(Object.entries(filters).map(([name, value]) => [`field.${name}`, value]));
}

export function Records() {
  const { system = "" } = useParams({ strict: false }) as { system?: string };
  const [search, setSearch] = useFilters();
  const navigate = useNavigate();
  const { can } = useSession();
  const [importing, setImporting] = useState(false);
  const [editing, setEditing] = useState<LinkedRecord | null>(null);
  const sync = useApi<SyncStatus>(get("/systems/{system}/sync", { system }), { every: 15 });
  const filters = fieldFilters(search);
  const { state, scope, sort } = search;
  const asked = asFields(filters);
  const query = { ...asked, state, scope, sort, limit: PAGE };
  const first = get("/systems/{system}/records", { system }, query);
  const records = useInfiniteQuery({
    queryKey: [first.route, first.query],
    queryFn: ({ pageParam, signal }) =>
      api.send<PageOf>(
        get(
          "/systems/{system}/records",
          { system },
          { ...query, after: pageParam || undefined, total: pageParam ? false : undefined },
        ),
        signal,
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => records.data?.pages.flatMap((page) => page.items) ?? [], [records.data]);
  const total = records.data?.pages[0]?.total;
  const fields = sync.data?.fields ?? Object.keys(rows[0]?.fields ?? {});
  const columns = useMemo<Column<LinkedRecord>[]>(
    () => [
      {
        id: "key",
        header: "Record",
        width: "140px",
        value: (one) => one.key,
        cell: (one) => <span className="mono">{one.key}</span>,
        sortable: false,
      },
      {
        id: "state",
        header: "State",
        width: "104px",
        value: (one) => one.state,
        cell: (one) => <Status word={one.state} />,
        sortable: false,
      },
      ...fields.map(
        (field): Column<LinkedRecord> => ({
          id: field,
          header: field.replaceAll("_", " "),
          width: widthOf(field),
          align: isAmount(field) ? "right" : "left",
          value: (one) => one.fields[field],
          cell: (one) => {
            const value = one.fields[field];
            return value === null || value === undefined ? NOTHING : String(value);
          },
        }),
      ),
    ],
    [fields],
  );
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = records;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const named = Object.entries(filters);
  return (
    <Page
      title={`Records of ${system}`}
      crumbs={[{ title: "Sync", to: "/sync" }]}
      about="The remote's rows with the edits made here over them. An edit is a draft of yours until you commit it."
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconUpload size={14} />}
            disabled={!can("operator", system)}
            onClick={() => setImporting(true)}
          >
            Import CSV
          </Button>
          <Button variant="default" onClick={() => void navigate({ to: href.conflicts(system) })}>
            Conflicts {sync.data ? `(${sync.data.status.conflicts})` : ""}
          </Button>
        </>
      }
    >
      <Figures system={system} query={{ ...asked, scope }} />
      <Drafts system={system} />
      <Panel
        title="Records"
        flush
        note={
          total === undefined || total === null
            ? null
            : `${count(total, "record")}${rows.length < total ? `, ${rows.length.toLocaleString("en-US")} loaded` : ""}`
        }
        actions={
          <>
            <Choice
              label="State"
              width={110}
              value={state}
              onChange={(chosen) => setSearch({ state: chosen })}
              options={STATES}
            />
            <Choice
              label={sync.data?.scope_field ?? "Scope"}
              width={130}
              value={scope}
              onChange={(chosen) => setSearch({ scope: chosen })}
              options={(sync.data?.status.pulls ?? []).map((pull) => pull.scope)}
            />
            <AddFilter fields={fields} onAdd={(field, value) => setSearch({ [PREFIX + field]: value })} />
            <CsvButton rows={rows} columns={columns} file={`${system}-records`} />
          </>
        }
      >
        {named.length > 0 ? (
          <Group gap={6} px={10} py={6} style={{ borderBottom: "1px solid var(--pl-line)" }}>
            {named.map(([field, value]) => (
              <Group
                key={field}
                gap={2}
                style={{ border: "1px solid var(--pl-line)", borderRadius: 6, paddingLeft: 8 }}
              >
                <Text size="xs">
                  {field.replaceAll("_", " ")} = {value}
                </Text>
                <ActionIcon
                  size="sm"
                  aria-label={`Take the filter of ${field} away`}
                  onClick={() => setSearch({ [PREFIX + field]: undefined })}
                >
                  <IconX size={12} />
                </ActionIcon>
              </Group>
            ))}
          </Group>
        ) : null}
        {records.isError ? (
          <Failed error={records.error} retry={() => void records.refetch()} />
        ) : records.isPending ? (
          <Loading lines={10} />
        ) : (
          <DataTable
            label="Records"
            rows={rows}
            columns={columns}
            rowKey={(one) => one.key}
            height={600}
            rowHeight={30}
            order={{ by: sort, set: (by) => setSearch({ sort: by }) }}
            onOpen={setEditing}
            current={editing?.key ?? null}
            onEnd={more}
            empty={<Empty title="No record answers these filters" />}
          />
        )}
      </Panel>
      <EditRecord system={system} record={editing} fields={fields} onClose={() => setEditing(null)} />
      <ImportCsv system={system} opened={importing} onClose={() => setImporting(false)} />
    </Page>
  );
}

function AddFilter({ fields, onAdd }: { fields: string[]; onAdd: (field: string, value: string) => void }) {
  const [field, setField] = useState<string | undefined>(undefined);
  return (
    <Group gap={4} wrap="nowrap">
      <Choice
        label="Field"
        width={140}
        value={field}
        onChange={setField}
        options={fields.map((one) => ({ value: one, label: one.replaceAll("_", " ") }))}
      />
      {field ? (
        <Find
          label="is"
          width={130}
          value={undefined}
          onChange={(value) => {
            if (value) onAdd(field, value);
          }}
        />
      ) : null}
    </Group>
  );
}

function isAmount(field: string): boolean {
  return /(rate|price|amount|quantity|total)$/.test(field);
}

function widthOf(field: string): string {
  if (/_(start|end)$|^is_/.test(field)) return "112px";
  if (isAmount(field)) return "116px";
  return "minmax(120px, 1fr)";
}
