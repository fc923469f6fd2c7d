// Every dashboard that the server lists: each of its panels has data and draws it.
import { ask, must } from "../browser.mjs";
import { PATIENCE } from "../hand.mjs";

/** Panels that are rightly empty on demo data, and why. */
const EMPTY = new Map([["ingest/unknown-fields", "the demo's sessions have no field that is not known"]]);

export const steps = ({ page, go, heading }) => ({
  "every dashboard opens, and no panel is broken or empty": async () => {
    const { body } = await ask("/dashboards?limit=1000");
    must(body.items.length > 5, `the server lists ${body.items.length} dashboards`);
    must((body.problems ?? []).length === 0, `files of dashboards are wrong: ${JSON.stringify(body.problems)}`);
    const faults = [];
    let panels = 0;
    for (const { dashboard, title } of body.items) {
      const definition = (await ask(`/dashboards/${encodeURIComponent(dashboard)}`)).body;
      await go(`/dashboards/${encodeURIComponent(dashboard)}`);
      await heading(title).waitFor();
      const seen = new Map();
      for (const panel of definition.row.flatMap((row) => row.panel)) {
        panels += 1;
        // Two panels may show the same, drawn and as a table.
        const position = seen.get(panel.title) ?? 0;
        seen.set(panel.title, position + 1);
        const region = page.getByRole("region", { name: panel.title, exact: true }).nth(position);
        const trouble = await problemOf(region, panel, `${dashboard}/${panel.panel}`);
        if (trouble) faults.push(`${dashboard}/${panel.panel}: ${trouble}`);
      }
    }
    console.log(`      ${body.items.length} dashboards, ${panels} panels`);
    must(faults.length === 0, faults.join("\n"));
  },
});

/** What is wrong with a panel; an empty text when it shows what it is for. */
async function problemOf(region, panel, name) {
  await region.waitFor(PATIENCE);
  await region
    .getByRole("status", { name: "Loading" })
    .first()
    .waitFor({ state: "hidden", ...PATIENCE });
  const text = await region.textContent();
  if (
    /could not be loaded|Not available on this server|cannot be shown|You may not|cannot be reached|Refused|Nothing here/.test(
      text,
    )
  )
    return text.replaceAll("\n", " ").slice(0, 200);
  if (text.includes("No data in this window")) return EMPTY.has(name) ? "" : "empty";
  if (EMPTY.has(name)) return "has data now: take it from the list of those that are empty";
  if (panel.kind === "table") return (await region.getByRole("row").count()) > 1 ? "" : "a table without rows";
  if (panel.kind === "number") return /\d|[a-z]/.test(text.replace(panel.title, "")) ? "" : "no figure";
  const drawn = region.locator("canvas, svg").first();
  await drawn.waitFor(PATIENCE).catch(() => {});
  return (await drawn.count()) > 0 ? "" : "nothing is drawn";
}
