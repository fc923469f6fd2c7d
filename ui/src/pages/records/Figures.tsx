// The figures of the records that the filters leave.
import { path } from "../../api/client";
import { useApi } from "../../api/queries";
import { measured } from "../../parts/format";
import { Stats } from "../../parts/Page";

export function Figures({ system, filters }: { system: string; filters: Record<string, string | undefined> }) {
  const query = useApi<Record<string, unknown>>(path("systems", system, "figures"), filters);
  if (!query.data) return null;
  const figures = Object.entries(query.data)
    .filter(
      ([, value]) =>
        typeof value === "number" || (typeof value === "string" && value !== "" && !Number.isNaN(Number(value))),
    )
    .map(([name, value]) => ({ label: name.replaceAll("_", " "), value: measured(Number(value)) }));
  return figures.length > 0 ? <Stats figures={figures} /> : null;
}
