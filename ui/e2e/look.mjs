// Opens every page, light and dark: screenshots into `e2e/out`, and what axe-core, the console and the policy complain of.
import { mkdirSync } from "node:fs";
import { axe, open, settled } from "./browser.mjs";
import { serve } from "./serve.mjs";

const target = process.env.PLIMSOLL_URL ?? "http://127.0.0.1:8620";
const folder = new URL("../dist", import.meta.url).pathname;
const out = new URL("./out", import.meta.url).pathname;
mkdirSync(out, { recursive: true });

async function first(route, pick) {
  const answer = await fetch(`${target}/api/v1${route}`).catch(() => null);
  if (!answer?.ok) return null;
  const body = await answer.json();
  return pick(body.items ?? body);
}

const hearing = await first(
  "/runs?system=hearings&limit=50",
  (runs) => runs.find((run) => run.tally.quarantined > 0)?.id ?? runs[0]?.id,
);
const plan = await first(
  "/plans?system=hearings&limit=50",
  (plans) => plans.find((one) => one.changes > 0 && one.refused > 0)?.id ?? plans[0]?.id,
);
const item = await first("/quarantine", (items) => items[0]?.id);
const conflict = await first("/systems/pfa/conflicts", (items) => items[0]?.key);
const set = await first("/gauge-sets?limit=1", (items) => items[0]?.set_id ?? items[0]?.set);
const session = await first(
  "/views/opencode/sessions?limit=1",
  (view) => (view.rows ?? view)?.[0]?.session_id ?? view.rows?.[0]?.[0],
);
const dashboard = await first("/dashboards", (all) => all[0]?.name ?? all[0]?.id);

const PAGES = [
  ["overview", "/"],
  ["systems", "/systems"],
  ["system", "/systems/hearings"],
  ["plans", "/plans"],
  ["plan", plan && `/plans/${plan}`],
  ["runs", "/runs"],
  ["run", hearing && `/runs/${hearing}`],
  ["quarantine", "/quarantine"],
  ["quarantined", item && `/quarantine/${item}`],
  ["history", "/history?system=hearings&table=hearings&key=282"],
  ["flags", "/flags"],
  ["flag", "/flags/new-billing?why=17"],
  ["flag-script", `/flags/${encodeURIComponent("<script>alert(1)</script>")}`],
  ["sync", "/sync"],
  ["sync-pfa", "/sync/pfa"],
  ["conflicts", "/conflicts/pfa"],
  ["records", "/records/pfa"],
  ["record", conflict && `/records/pfa/${conflict}`],
  ["checks", "/checks"],
  ["check", "/checks/hearings/updates-are-recent"],
  ["gates", "/gates"],
  ["gate", `/gates/${encodeURIComponent("luckygas/readiness")}`],
  ["playbooks", "/playbooks"],
  ["playbook", "/playbooks/luckygas-pilot"],
  ["alerts", "/alerts"],
  ["schedules", "/schedules"],
  ["dashboards", "/dashboards"],
  ["dashboard", dashboard && `/dashboards/${dashboard}`],
  ["pilot", "/pilot"],
  ["gauges", "/gauges"],
  ["gauge-set", `/gauges/${set ?? "SP0001"}`],
  ["sessions", "/sessions"],
  ["session", session && `/sessions/${session}`],
  ["audit", "/audit"],
  ["settings", "/settings"],
];
const only = process.argv.slice(2);
const app = process.env.PLIMSOLL_APP ? { address: process.env.PLIMSOLL_APP, stop() {} } : await serve(folder, target);
let faults = 0;
for (const scheme of ["light", "dark"]) {
  const { browser, page, complaints } = await open({ scheme });
  for (const [name, path] of PAGES) {
    if (!path || (only.length > 0 && !only.includes(name))) continue;
    complaints.length = 0;
    await page.goto(app.address + path);
    await settled(page).catch((error) => complaints.push(String(error).split("\n")[0]));
    await page.screenshot({ path: `${out}/${name}-${scheme}.png` });
    const violations = await axe(page).catch((error) => [String(error)]);
    for (const problem of [...complaints, ...violations]) {
      faults += 1;
      console.log(`${name} (${scheme}): ${problem.slice(0, 400)}`);
    }
    if (scheme === "light") {
      await page.setViewportSize({ width: 320, height: 640 });
      await page.waitForTimeout(120);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) {
        faults += 1;
        console.log(`${name}: ${over} px wider than a screen of 320 px`);
      }
      await page.screenshot({ path: `${out}/${name}-narrow.png` });
      await page.setViewportSize({ width: 1360, height: 860 });
    }
  }
  await browser.close();
}
app.stop();
console.log(faults === 0 ? "look: ok" : `look: ${faults} faults`);
process.exit(faults === 0 ? 0 : 1);
