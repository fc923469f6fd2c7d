// Who may come in, and what somebody who may only look sees.
import { ask, logIn, must, open, settled, target } from "../browser.mjs";
import { handOf } from "../hand.mjs";

export const steps = ({ page }) => ({
  "a wrong password is told, the right one enters": async () => {
    await page.goto(target);
    await page.getByLabel("Name").fill("demo-admin");
    await page.getByLabel(/^Password/).fill("not the password");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    must(await page.getByRole("button", { name: "Log in" }).isVisible(), "a wrong password entered");
    await page.getByLabel(/^Password/).fill(process.env.PLIMSOLL_PASSWORD);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await settled(page);
    const { body } = await ask("/systems");
    for (const { name } of body) await page.getByRole("main").getByText(name, { exact: true }).first().waitFor();
  },

  "somebody who may only look sees the data, and every button that changes something is disabled": async () => {
    const visit = await open();
    const viewer = handOf(visit.page);
    try {
      await logIn(visit.page, "demo-viewer");
      const run = (await ask("/runs?system=hearings&limit=50")).body.items.find((one) => !one.undoes);
      const item = (await ask("/quarantine")).body.items[0];
      const set = (await ask("/gauge-sets?limit=1")).body.items[0].set_id;
      const plan = (await ask("/plans?system=hearings&limit=50")).body.items[0];
      const PAGES = [
        ["/plans", "Plans", ["Make a plan"]],
        [`/plans/${plan.id}`, null, []],
        [`/runs/${run.id}`, null, ["Undo…"]],
        [`/quarantine/${item.id}`, null, ["Validate", "Replay", "Discard"]],
        ["/flags", "Flags", ["Create a flag"]],
        ["/flags/new-billing", "new-billing", ["Kill", "Turn off"]],
        ["/conflicts/pfa", null, ["Decide…"]],
        ["/records/pfa", null, ["Import CSV"]],
        ["/gates/demo%2Fmay-go-on", null, ["Ask the evidence"]],
        ["/playbooks/demo-first-steps", null, ["Start…"]],
        ["/pilot", "Pilot", ["Carry now", "Start", "Pause", "Resume", "Advance…", "Roll back…"]],
        ["/pilot?tab=selection", "Pilot", ["Enrol the newest selection…"]],
        ["/gauges?tab=incomplete", "Gauge sets", ["Find replacement"]],
        [`/gauges/${set}`, null, ["Unpair", "Retire"]],
        ["/systems/hearings", "hearings", ["Make a plan"]],
      ];
      for (const [path, title, names] of PAGES) {
        await viewer.go(path);
        if (title) await viewer.heading(title).waitFor();
        for (const name of names) {
          const button = viewer.button(name).first();
          await button.waitFor();
          must(await button.isDisabled(), `${path}: a viewer may press "${name}"`);
        }
      }
      await viewer.go("/runs");
      must((await visit.page.getByRole("row").count()) > 2, "a viewer sees no runs");
      // What is the administrators' alone says so in its own panel.
      for (const path of ["/audit", "/settings"]) {
        await viewer.go(path);
        await visit.page.getByText("You may not see this").first().waitFor();
      }
      must(visit.complaints.length === 0, visit.complaints.join("\n"));
    } finally {
      await visit.browser.close();
    }
  },

  "what a viewer asks for is refused by the server, not by the page alone": async () => {
    const name = "demo-viewer";
    const entered = await fetch(`${target}/api/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, password: process.env.PLIMSOLL_PASSWORD }),
    });
    const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
    const { csrf } = await entered.json();
    const refused = await fetch(`${target}/api/v1/flags/new-billing/kill`, {
      method: "POST",
      headers: { cookie, "x-csrf-token": csrf, "content-type": "application/json" },
      body: JSON.stringify({ reason: "a viewer tries" }),
    });
    must(refused.status === 403, `the server answered ${refused.status}`);
    must((await ask("/flags/new-billing")).body.flag.state === "on", "a viewer killed a flag");
  },
});
