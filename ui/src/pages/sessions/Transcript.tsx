// What was said and done in a session, part by part. Texts are texts: nothing of them is ever read as HTML.
import { Group, Text } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { num, str, tableOf, type ViewAnswer, type ViewRow } from "../../api/views";
import { count, duration } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Scroll } from "../../parts/Scroll";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { ViewCsv } from "../../parts/ViewTable";

export function Transcript({ session }: { session: string }) {
  const query = useApi<ViewAnswer>(
    get("/views/{system}/{view}", { system: "opencode", view: "transcript" }, { session, limit: 1000 }),
    { every: false },
  );
  const table = useMemo(() => tableOf(query.data), [query.data]);
  return (
    <Panel
      title="Transcript"
      flush
      note={query.data ? count(table.rows.length, "part") : null}
      actions={<ViewCsv table={table} file={`transcript-${session}`} />}
    >
      <Answer query={query}>{() => <Parts rows={table.rows} />}</Answer>
    </Panel>
  );
}

function Parts({ rows }: { rows: ViewRow[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 72,
    overscan: 8,
    initialRect: { width: 900, height: 640 },
  });
  if (rows.length === 0) return <Empty title="Nothing was said in this session" />;
  return (
    <Scroll inner={scroller} label="Transcript" height={640}>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index] ?? {};
          return (
            <div
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              style={{
                position: "absolute",
                left: 0,
                right: 0,
                transform: `translateY(${item.start}px)`,
                padding: "8px 14px",
                borderBottom: "1px solid var(--pl-line)",
              }}
            >
              <Group gap={10}>
                <Text fw={600}>{str(row.role)}</Text>
                <Text c="dimmed">{str(row.tool_name) || str(row.part_type)}</Text>
                {row.status ? <Status word={str(row.status)} /> : null}
                {row.execution_time_ms ? <Text c="dimmed">{duration(num(row.execution_time_ms))}</Text> : null}
                <Text c="dimmed" size="xs" ml="auto">
                  <Time at={str(row.time_created)} form="full" />
                </Text>
              </Group>
              {row.text ? (
                <Text style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{str(row.text)}</Text>
              ) : null}
            </div>
          );
        })}
      </div>
    </Scroll>
  );
}
