// Opens every page, light and dark: screenshots into `e2e/out`, and what axe-core, the console and the policy complain of.
import { ask, axe, logIn, open, out, settled, target } from "./browser.mjs";

/** Something to look at; a page for which the demo has nothing is a fault of the demo. */
async function first(route, pick) {
  const { status, body } = await ask(route);
  const found = status === 200 ? pick(body.items ?? body) : null;
  if (!found) throw new Error(`${route} has nothing to look at (${status})`);
  return found;
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
const member = await first("/systems/luckygas/pilot/members?limit=1", (items) => items[0]?.customer);
const trial = await first("/trials", (items) => items[0]?.id);
const dashboard = await first("/dashboards", (all) => all[0]?.dashboard);

const PAGES = [
  ["overview", "/"],
  ["systems", "/systems"],
  ["system", "/systems/hearings"],
  ["plans", "/plans"],
  ["plan", `/plans/${plan}`],
  ["runs", "/runs"],
  ["run", `/runs/${hearing}`],
  ["quarantine", "/quarantine"],
  ["quarantined", `/quarantine/${item}`],
  ["history", "/history?system=hearings&table=hearings&key=282"],
  ["flags", "/flags"],
  ["flag", "/flags/new-billing?why=17"],
  ["flag-script", `/flags/${encodeURIComponent("<script>alert(1)</script>")}`],
  ["sync", "/sync"],
  ["sync-pfa", "/sync/pfa"],
  ["conflicts", "/conflicts/pfa"],
  ["records", "/records/pfa"],
  ["record", `/records/pfa/${conflict}`],
  ["checks", "/checks"],
  ["check", "/checks/hearings/updates-are-recent"],
  ["trial", `/trials/${trial}`],
  ["gates", "/gates"],
  ["gate", `/gates/${encodeURIComponent("luckygas/readiness")}`],
  ["playbooks", "/playbooks"],
  ["playbook", "/playbooks/luckygas-pilot"],
  ["alerts", "/alerts"],
  ["schedules", "/schedules"],
  ["dashboards", "/dashboards"],
  ["dashboard", `/dashboards/${dashboard}`],
  ["pilot", "/pilot"],
  ["pilot-selection", "/pilot?tab=selection"],
  ["pilot-parity", "/pilot?tab=parity"],
  ["member", `/pilot/members/${member}`],
  ["gauges", "/gauges"],
  ["gauges-incomplete", "/gauges?tab=incomplete"],
  ["gauges-calibration", "/gauges?tab=calibration"],
  ["gauges-audit", "/gauges?tab=audit"],
  ["gauge-set", `/gauges/${set}`],
  ["sessions", "/sessions"],
  ["session", `/sessions/${session}`],
  ["session-transcript", `/sessions/${session}?tab=transcript`],
  ["audit", "/audit"],
  ["settings", "/settings"],
];
const only = process.argv.slice(2);
let faults = 0;
for (const scheme of ["light", "dark"]) {
  const { browser, page, complaints } = await open({ scheme });
  await logIn(page);
  for (const [name, path] of PAGES) {
    if (only.length > 0 && !only.includes(name)) continue;
    complaints.length = 0;
    await page.goto(target + path);
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
console.log(faults === 0 ? "look: ok" : `look: ${faults} faults`);
process.exit(faults === 0 ? 0 : 1);
