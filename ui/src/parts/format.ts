// How numbers, times, sizes and stored values are written. Owns words only; components are elsewhere.
import type { Value } from "../api/types";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const SOME = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });
const MONEY = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 2 });

export const NOTHING = "–";

export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  return Number.isInteger(value) || Math.abs(value) >= 10_000 ? WHOLE.format(value) : SOME.format(value);
}

export function count(value: number | null | undefined, one: string, many = `${one}s`): string {
  return value === null || value === undefined ? NOTHING : `${number(value)} ${value === 1 ? one : many}`;
}

export function percent(share: number | null | undefined, digits = 1): string {
  return share === null || share === undefined ? NOTHING : `${(share * 100).toFixed(digits)} %`;
}

export function bytes(size: number | null | undefined): string {
  if (size === null || size === undefined) return NOTHING;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let left = size;
  let unit = 0;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? left : left.toPrecision(3)} ${units[unit]}`;
}

export function duration(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined) return NOTHING;
  const ms = Math.abs(milliseconds);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function ago(at: string | Date, now: Date = new Date()): string {
  const passed = now.getTime() - new Date(at).getTime();
  const later = passed < -1000;
  const seconds = Math.abs(passed) / 1000;
  const words =
    seconds < 5
      ? "now"
      : seconds < 60
        ? `${Math.round(seconds)} s`
        : seconds < 3600
          ? `${Math.round(seconds / 60)} min`
          : seconds < 48 * 3600
            ? `${Math.round(seconds / 3600)} h`
            : `${Math.round(seconds / 86_400)} d`;
  if (words === "now") return "just now";
  return later ? `in ${words}` : `${words} ago`;
}

export function moment(at: string, zone: "local" | "utc"): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return at;
  return new Intl.DateTimeFormat("en-GB", {
    year: "numeric",
    month: "short",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZone: zone === "utc" ? "UTC" : undefined,
    timeZoneName: zone === "utc" ? "short" : undefined,
  }).format(time);
}

export function shortId(id: string | null | undefined): string {
  return id ? id.slice(0, 12) : NOTHING;
}

/** A stored value as text. A typed one, such as `{"date": ".."}`, is its own text. */
export function valueText(value: Value | undefined): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "object") {
    const entries = Object.entries(value);
    if (entries.length === 1) {
      const inner = entries[0]?.[1];
      return typeof inner === "string" || typeof inner === "number" ? String(inner) : JSON.stringify(value);
    }
    return JSON.stringify(value);
  }
  return String(value);
}

/** Digits of a table cell by what its column measures. */
export function measured(value: unknown, unit?: string | null): string {
  if (value === null || value === undefined) return NOTHING;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") return JSON.stringify(value);
  if (typeof value !== "number") return String(value);
  if (unit === "USD" || unit === "usd") return MONEY.format(value);
  if (unit === "ms") return duration(value);
  if (unit === "s") return duration(value * 1000);
  if (unit === "bytes" || unit === "B") return bytes(value);
  if (unit === "share" || unit === "ratio") return percent(value);
  if (unit === "%") return `${number(value)} %`;
  if (unit === "d") return `${number(value)} d`;
  return number(value);
}

/** A detail of an event, in words: a text as it is, members by their names. */
export function detailText(detail: unknown): string {
  if (detail === null || detail === undefined) return "";
  if (typeof detail !== "object") return String(detail);
  return Object.entries(detail)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(" · ");
}
