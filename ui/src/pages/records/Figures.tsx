// The figures of the records that the filters leave. Which there are is each system's to say: numbers, amounts as texts, and
// figures by group, which are not shown here.
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { FieldMembers } from "../../api/undescribed";
import { measured } from "../../parts/format";
import { Stats } from "../../parts/Page";

export function Figures({ system, query: asked }: { system: string; query: FieldMembers & { scope?: string } }) {
  const query = useApi<Record<string, number | string | Record<string, number>>>(
    get("/systems/{system}/figures", { system }, asked),
  );
  if (!query.data) return null;
  const figures = Object.entries(query.data)
    .filter(
      ([, value]) =>
        typeof value === "number" || (typeof value === "string" && value !== "" && !Number.isNaN(Number(value))),
    )
    .map(([name, value]) => ({ label: name.replaceAll("_", " "), value: measured(Number(value)) }));
  return figures.length > 0 ? <Stats figures={figures} /> : null;
}
