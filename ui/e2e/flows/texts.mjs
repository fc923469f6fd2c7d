// Texts that look like HTML, in every place that stores one: they stay texts wherever they are shown.
import { ask, must } from "../browser.mjs";
import { IMAGE, PATIENCE, SCRIPT, stamp } from "../hand.mjs";

const BOTH = `${IMAGE} ${SCRIPT}`;

export const steps = ({ page, go, heading, button, rows, dialog, decide, choose }) => {
  /** Nothing of the texts became an element, and nothing of them ran; a dialog is a complaint of the page. */
  const harmless = async (where) => {
    const found = await page.evaluate(
      (mark) =>
        [...document.querySelectorAll("script:not([src]), [onerror], img, iframe")]
          .map((one) => one.outerHTML)
          .filter((html) => html.includes(mark) || html.includes("onerror")),
      stamp,
    );
    must(found.length === 0, `${where}: ${found.join(" ")}`);
  };
  const shows = async (where, text = IMAGE) => {
    await page.getByText(text).first().waitFor(PATIENCE);
    await harmless(where);
  };

  return {
    "in the reason of a plan and of its rejection": async () => {
      await go("/plans?system=hearings");
      await button("Make a plan").click();
      await choose(dialog().getByRole("combobox", { name: "Change" }), "daily-update");
      await decide(BOTH, "Make plan");
      await page.waitForURL(/\/plans\/[^?]+$/, PATIENCE);
      await button("Reject").click();
      await decide(BOTH, "Reject plan");
      await heading("Plans").waitFor(PATIENCE);
      await harmless("plans");
    },

    "in the reason of a run and in its row's history": async () => {
      const { body } = await ask("/systems/hearings/plans", { change: "daily-update" });
      await go(`/plans/${body.plan}`);
      await button("Apply").click();
      await decide(BOTH, "Apply plan");
      await page.getByText("finished").first().waitFor({ timeout: 60_000 });
      await shows("run");
      const run = decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1));
      await button("Undo…").click();
      await decide(BOTH, "Undo run", { preview: true });
      await page.getByText("takes back").waitFor(PATIENCE);
      await page.getByText("finished").first().waitFor({ timeout: 60_000 });
      await shows("undo");
      must((await ask(`/runs/${run}`)).body.run.reason === BOTH, "the reason was changed on its way");
    },

    "in a quarantined record, and in the reason why it is given up": async () => {
      const item = (await ask("/quarantine?limit=500")).body.items.find(
        (one) => one.system === "hearings" && one.record,
      );
      must(item, "nothing with a record is in quarantine");
      await go(`/quarantine/${item.id}`);
      await page.getByRole("textbox", { name: "Source record" }).fill(JSON.stringify({ ...item.record, title: BOTH }));
      await button("Keep repair").click();
      await decide(BOTH, "Keep record");
      await page.getByText("repaired", { exact: true }).waitFor(PATIENCE);
      await harmless("quarantine");
      await button("Discard").click();
      await decide(BOTH, "Discard item");
      await harmless("quarantine");
    },

    "in the answer to a conflict's field, and in a committed edit": async () => {
      const key = "DEMO01-000017";
      await go("/records/pfa");
      await page.getByText(key).first().click();
      await dialog().getByLabel("model", { exact: true }).fill(IMAGE);
      await dialog().getByLabel("contract", { exact: true }).fill(SCRIPT);
      await dialog().getByLabel("Reason").fill(BOTH);
      await dialog().getByLabel("Commit at once instead of keeping a draft").check();
      await dialog().getByRole("button", { name: "Commit 2 fields" }).click();
      await dialog().waitFor({ state: "hidden", ...PATIENCE });
      await shows("grid");
      await go(`/records/pfa/${key}`);
      await shows("record");
      await shows("record", SCRIPT);
      await go("/sync/pfa");
      await harmless("sync");
    },

    "in the reason of a gate, a schedule and a gauge": async () => {
      await go("/gates/demo%2Fmay-go-on");
      await button("Ask the evidence").click();
      await decide(BOTH, "Ask");
      await harmless("gate");
      await go("/schedules");
      await page.getByRole("button", { name: "Pause" }).first().click();
      await decide(BOTH, "Pause");
      await page.getByRole("button", { name: "Resume" }).first().click();
      await decide(BOTH, "Resume");
      await harmless("schedules");
      await go("/gauges?tab=audit");
      await harmless("gauges");
    },

    "in the reason of a playbook": async () => {
      await go("/playbooks/demo-first-steps");
      await button("Start…").click();
      await decide(BOTH, "Start");
      await page.waitForURL(/\/playbook-runs\//, PATIENCE);
      await button("Approve agree").waitFor({ timeout: 60_000 });
      await button("Roll back").click();
      await decide(BOTH, "Roll back");
      await page.getByText("rolled back", { exact: true }).first().waitFor({ timeout: 60_000 });
      await harmless("playbook");
    },

    "in the name and the reason of a user": async () => {
      const name = `e2e-${stamp}`;
      await go("/settings");
      await button("Add a user").click();
      await dialog().getByRole("textbox", { name: "Name" }).fill(name);
      await dialog()
        .getByLabel(/^Password/)
        .fill(`${IMAGE} a long password`);
      await decide(BOTH, "Add user");
      await rows("Users", name).waitFor(PATIENCE);
      await rows("Users", name).getByRole("button", { name: "Remove" }).click();
      await decide(BOTH, "Remove user");
      await rows("Users", name).waitFor({ state: "hidden", ...PATIENCE });
      await harmless("settings");
    },

    "in an address, a search and a filter": async () => {
      const part = encodeURIComponent(SCRIPT);
      for (const path of [
        `/flags/${part}`,
        `/runs/${part}`,
        `/quarantine?find=${part}`,
        `/records/pfa?f_model=${part}`,
        `/history?system=hearings&table=hearings&key=${part}`,
        `/sessions?project=${part}`,
        `/dashboards?find=${part}`,
      ]) {
        await go(path);
        await harmless(path);
      }
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: "Search or go to" }).fill(IMAGE);
      await page.waitForTimeout(600);
      await harmless("search");
      await page.keyboard.press("Escape");
    },

    "and all of it is told by the audit, as it was written": async () => {
      await go("/audit");
      await page.getByRole("table", { name: "Audit" }).waitFor();
      await shows("audit");
      const { body } = await ask("/audit?limit=500");
      const told = body.items.filter((one) => one.reason === BOTH);
      must(told.length >= 8, `the audit tells ${told.length} of the changes with their reason`);
    },

    "and by every list that shows what was changed": async () => {
      for (const path of [
        "/",
        "/runs",
        "/plans",
        "/flags",
        "/playbooks",
        "/gates",
        "/alerts",
        "/history",
        "/systems",
      ]) {
        await go(path);
        await harmless(path);
      }
    },
  };
};
