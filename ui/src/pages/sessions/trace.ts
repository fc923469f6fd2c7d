// A trace: the events of a session, cut into exchanges, laid out on a line of time. Pure; the drawing is `TraceTimeline`'s.
import { num, str, type ViewRow } from "../../api/views";

export interface Span {
  key: string;
  exchange: number;
  kind: string;
  name: string;
  status: string;
  start: number;
  duration: number;
  tokens: number | null;
  child: string | null;
}

export interface Exchange {
  number: number;
  start: number;
  end: number;
  spans: Span[];
  tokens: number;
  failures: number;
}

const FAILED = /error|fail/i;

/** The exchanges of a session in order. An event without a time is left out, as nothing can say where it belongs. */
export function exchangesOf(rows: ViewRow[]): Exchange[] {
  const all = new Map<number, Exchange>();
  for (const row of rows) {
    const start = new Date(str(row.time_created)).getTime();
    if (!Number.isFinite(start)) continue;
    const exchange = num(row.exchange_number) ?? 0;
    const span: Span = {
      key: `${exchange}/${str(row.exchange_id)}/${num(row.event_order) ?? 0}`,
      exchange,
      kind: str(row.event_type),
      name: str(row.name),
      status: str(row.status),
      start,
      duration: Math.max(0, num(row.duration_ms) ?? 0),
      tokens: num(row.tokens),
      child: str(row.child_session_id) || null,
    };
    const one = all.get(exchange) ?? { number: exchange, start, end: start, spans: [], tokens: 0, failures: 0 };
    one.start = Math.min(one.start, span.start);
    one.end = Math.max(one.end, span.start + span.duration);
    one.tokens += span.tokens ?? 0;
    one.failures += FAILED.test(span.status) ? 1 : 0;
    one.spans.push(span);
    all.set(exchange, one);
  }
  return [...all.values()].sort((left, right) => left.number - right.number);
}

/** Where a span stands in its exchange, in percent of its width; nothing is too short to be seen. */
export function place(span: Span, exchange: Exchange): { left: number; width: number } {
  const whole = Math.max(1, exchange.end - exchange.start);
  const left = Math.min(99.4, ((span.start - exchange.start) / whole) * 100);
  return { left, width: Math.max(0.6, Math.min(100 - left, (span.duration / whole) * 100)) };
}

export function failed(span: Span): boolean {
  return FAILED.test(span.status);
}
