// What a plan would do, as the server assessed it. Members are shown by their names, so that nothing of it is lost.
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { Plan, Tally } from "../../api/types";
import { bytes, duration, number } from "../../parts/format";
import { Facts } from "../../parts/Page";
import { Answer } from "../../parts/States";

interface Assessed {
  plan: string;
  digest: string;
  items: number;
  refused: number;
  /** Changes of each kind, by table. */
  rows: Record<string, Record<string, number>>;
  journal_bytes: number;
  canary_items: number;
  canary: Tally;
  /** By class: how many are expected, and one of the reasons. */
  predicted_failures: Record<string, [number, string]>;
  expected_failures: number;
  estimated_ms: number;
  estimated_undo_ms: number;
}

/** A name of a member as words, and its value with its unit, which the name ends with. */
export function spoken(name: string, value: unknown): [string, string] {
  const words = name.replaceAll("_", " ");
  if (typeof value === "number") {
    if (name.endsWith("_ms")) return [words.replace(/ ms$/, ""), duration(value)];
    if (name.endsWith("_seconds")) return [words.replace(/ seconds$/, ""), duration(value * 1000)];
    if (name.endsWith("_bytes") || name === "bytes") return [words, bytes(value)];
    return [words, number(value)];
  }
  if (typeof value === "boolean") return [words, value ? "yes" : "no"];
  if (Array.isArray(value))
    return [
      words,
      value.length === 0
        ? "none"
        : value.map((one) => (typeof one === "object" ? JSON.stringify(one) : String(one))).join("; "),
    ];
  if (value === null || value === undefined) return [words, "none"];
  return [
    words,
    typeof value === "object"
      ? Object.entries(value)
          .map(([key, one]) => `${key} ${within(one)}`)
          .join(", ")
      : String(value),
  ];
}

/** A value inside another: members by their names, in brackets. */
function within(value: unknown): string {
  if (Array.isArray(value)) return `(${value.map(within).join(": ")})`;
  if (typeof value === "object" && value !== null)
    return `(${Object.entries(value)
      .map(([name, one]) => `${name} ${within(one)}`)
      .join(", ")})`;
  return String(value);
}

export function Assessment({ plan }: { plan: Plan }) {
  const query = useApi<Assessed>(get("/plans/{plan}/assessment", { plan: plan.id }), { every: false });
  return (
    <Answer query={query}>
      {(found) => (
        <Facts
          facts={Object.entries(found)
            .filter(([name]) => name !== "plan" && name !== "digest")
            .map(([name, value]) => spoken(name, value))}
        />
      )}
    </Answer>
  );
}
