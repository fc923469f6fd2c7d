// A moment in the reader's own zone (or UTC, as they chose), with how long ago it was.
import { useUi } from "../state/ui";
import { ago, moment, NOTHING } from "./format";

export function Time({ at, form = "both" }: { at: string | null | undefined; form?: "both" | "ago" | "full" }) {
  const zone = useUi((state) => state.zone);
  if (!at) return <span>{NOTHING}</span>;
  const full = moment(at, zone);
  return (
    <time dateTime={at} title={`${full} (${at})`} className="num">
      {form === "ago" ? ago(at) : form === "full" ? full : `${full} · ${ago(at)}`}
    </time>
  );
}
