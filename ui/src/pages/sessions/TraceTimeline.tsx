// The trace of a session: each exchange with its events on a line of time, sub-agents as links to their own sessions.
import { Anchor, Group, Text, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { count, duration, number } from "../../parts/format";
import { Scroll } from "../../parts/Scroll";
import { Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import { type Exchange, failed, place, type Span } from "./trace";

const COLOURS: Record<string, string> = {
  prompt: "var(--mantine-color-gray-6)",
  text: "var(--mantine-color-sea-6)",
  reasoning: "var(--mantine-color-grape-6)",
  thinking: "var(--mantine-color-grape-6)",
  tool: "var(--mantine-color-orange-6)",
  delegation: "var(--mantine-color-teal-7)",
  step: "var(--mantine-color-blue-5)",
  compaction: "var(--mantine-color-yellow-6)",
  patch: "var(--mantine-color-green-7)",
};

export function TraceTimeline({ exchanges, prompts }: { exchanges: Exchange[]; prompts: Map<number, string> }) {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set(exchanges.slice(0, 1).map((one) => one.number)));
  if (exchanges.length === 0) return <Empty title="No events are known of this session" />;
  return (
    <Scroll label="Exchanges on a line of time" height={640} grows>
      <Legend exchanges={exchanges} />
      {exchanges.map((exchange) => {
        const isOpen = open.has(exchange.number);
        return (
          <div key={exchange.number} style={{ borderBottom: "1px solid var(--pl-line)" }}>
            <UnstyledButton
              w="100%"
              px={10}
              py={7}
              aria-expanded={isOpen}
              onClick={() =>
                setOpen((before) => {
                  const after = new Set(before);
                  if (!after.delete(exchange.number)) after.add(exchange.number);
                  return after;
                })
              }
            >
              <Group gap={8} wrap="nowrap">
                {isOpen ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
                <Text className="num" fw={600} w={34}>
                  {exchange.number}
                </Text>
                <Text truncate style={{ flex: 1 }}>
                  {prompts.get(exchange.number) ?? count(exchange.spans.length, "event")}
                </Text>
                {exchange.failures > 0 ? <Status word="error" label={count(exchange.failures, "failure")} /> : null}
                <Text c="dimmed" className="num" visibleFrom="sm">
                  {count(exchange.spans.length, "event")}
                </Text>
                <Text c="dimmed" className="num" visibleFrom="sm">
                  {number(exchange.tokens)} tokens
                </Text>
                <Text className="num" w={90} ta="right">
                  {duration(exchange.end - exchange.start)}
                </Text>
              </Group>
            </UnstyledButton>
            {isOpen ? (
              <ul style={{ listStyle: "none", margin: 0, padding: "0 10px 8px" }}>
                {exchange.spans.map((span) => (
                  <Line key={span.key} span={span} exchange={exchange} />
                ))}
              </ul>
            ) : null}
          </div>
        );
      })}
    </Scroll>
  );
}

function Line({ span, exchange }: { span: Span; exchange: Exchange }) {
  const { left, width } = place(span, exchange);
  const name = span.name || span.kind;
  return (
    <li
      style={{
        display: "grid",
        gridTemplateColumns: "minmax(120px, 220px) 1fr 78px",
        gap: 8,
        alignItems: "center",
        minHeight: 22,
      }}
    >
      <Text size="xs" truncate title={`${span.kind} ${span.name}`}>
        {span.child ? (
          <Anchor component={Link} to={href.session(span.child)}>
            {name}
          </Anchor>
        ) : (
          name
        )}
      </Text>
      <div
        style={{ position: "relative", height: 12, background: "var(--pl-canvas)", borderRadius: 2 }}
        title={`${span.kind}${span.name ? ` ${span.name}` : ""}${span.status ? `, ${span.status}` : ""}, ${duration(span.duration)}`}
      >
        <div
          style={{
            position: "absolute",
            left: `${left}%`,
            width: `${width}%`,
            top: 1,
            bottom: 1,
            borderRadius: 2,
            background: failed(span) ? "var(--pl-bad)" : (COLOURS[span.kind] ?? "var(--mantine-color-gray-5)"),
          }}
        />
      </div>
      <Text size="xs" ta="right" className="num">
        {span.duration > 0 ? duration(span.duration) : span.tokens ? `${number(span.tokens)} t` : ""}
      </Text>
    </li>
  );
}

function Legend({ exchanges }: { exchanges: Exchange[] }) {
  const kinds = [...new Set(exchanges.flatMap((one) => one.spans.map((span) => span.kind)))].sort();
  return (
    <Group gap="md" px={12} py={6} style={{ borderBottom: "1px solid var(--pl-line)" }}>
      {kinds.map((kind) => (
        <Group key={kind} gap={5}>
          <span
            aria-hidden
            style={{ width: 9, height: 9, borderRadius: 2, background: COLOURS[kind] ?? "var(--mantine-color-gray-5)" }}
          />
          <Text size="xs">{kind}</Text>
        </Group>
      ))}
    </Group>
  );
}
