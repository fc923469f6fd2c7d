// Drives the app over the real binary, as a person would: flags, conflicts, drafts, an import with bad lines, the palette, texts
// that look like HTML. Starts nothing: PLIMSOLL_URL names a server on demo data (docs/guide/app.md says how it is made), and
// what it changes there it changes under names of its own.
import { mkdirSync } from "node:fs";
import { axe, open, settled } from "./browser.mjs";
import { serve } from "./serve.mjs";

const target = process.env.PLIMSOLL_URL ?? "http://127.0.0.1:8620";
const out = new URL("./out", import.meta.url).pathname;
mkdirSync(out, { recursive: true });
const app = process.env.PLIMSOLL_APP
  ? { address: process.env.PLIMSOLL_APP, stop() {} }
  : await serve(new URL("../dist", import.meta.url).pathname, target);
const { browser, page, complaints } = await open();
const stamp = Date.now().toString(36);
const HTML = `<img src=x onerror=alert("${stamp}")>`;

async function ask(route, init) {
  const answer = await fetch(`${target}/api/v1${route}`, init);
  return { status: answer.status, body: await answer.json().catch(() => null) };
}

function must(holds, what) {
  if (!holds) throw new Error(what);
}

async function go(path) {
  await page.goto(app.address + path);
  await settled(page);
}

/** Fills the reason of the open dialog and does what it is for. */
async function decide(reason, button, { preview = false } = {}) {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill(reason);
  if (preview) {
    await dialog.getByRole("button", { name: "Preview" }).click();
    await dialog.getByRole("status", { name: "What would happen" }).waitFor();
  }
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
}

const flag = `e2e-${stamp}`;
const STEPS = {
  "a flag is created, and its texts stay texts": async () => {
    await go("/flags");
    await page.getByRole("button", { name: "Create a flag" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill(flag);
    await dialog.getByLabel("Owner").fill(HTML);
    await decide(HTML, "Create flag");
    await page.getByRole("heading", { name: flag, level: 1 }).waitFor();
    await page.getByText(HTML).first().waitFor();
    must((await page.locator("main img").count()) === 0, "a text of the data became an element");
  },
  "it is ramped, with who enters first": async () => {
    await page.getByLabel("Share of keys that get the flag, in percent").last().fill("25");
    await page.getByRole("button", { name: /Change to 25 %/ }).click();
    await decide("a quarter", "Set 25 %", { preview: true });
    await page.getByText("25 % by").first().waitFor();
    const { body } = await ask(`/flags/${flag}`);
    must(body.flag.rollout.percent === 25 && body.flag.state === "on", `the flag is ${JSON.stringify(body.flag)}`);
  },
  "why a key gets it, by a link": async () => {
    await go(`/flags/${flag}?why=17`);
    await page.getByText(/`17` (gets|does not get)/).waitFor();
  },
  "it is killed, and is off for everybody": async () => {
    await page.getByRole("button", { name: "Kill", exact: true }).click();
    await decide("wrong totals", "Kill the flag", { preview: true });
    await page.getByText("killed").first().waitFor();
    must((await ask(`/flags/${flag}`)).body.flag.state === "killed", "the flag is not killed");
  },
  "an earlier version is brought back": async () => {
    await page.getByRole("button", { name: "Bring back" }).first().click();
    await decide("it was right", "Bring back", { preview: true });
    await page.waitForFunction(() => document.body.textContent.includes("version 4"));
    const { body } = await ask(`/flags/${flag}`);
    must(body.flag.state !== "killed", "the version did not come back");
  },
  "a conflict is decided field by field": async () => {
    const { body } = await ask("/systems/pfa/conflicts");
    const [conflict] = body.items;
    must(conflict, "the demo has no open conflict");
    await go(`/conflicts/pfa?record=${conflict.key}`);
    await page.getByLabel("Take for model").getByText("Theirs").click();
    await page.getByRole("button", { name: "Decide…" }).click();
    await decide("theirs is right", "Decide", { preview: true });
    const left = (await ask("/systems/pfa/conflicts")).body.items.map((one) => one.key);
    must(!left.includes(conflict.key), "the conflict is still open");
  },
  "a record is edited as a draft, and dropped": async () => {
    await go("/records/pfa");
    await page.getByText("DEMO01-000016").first().click();
    const drawer = page.getByRole("dialog");
    await drawer.getByLabel("model", { exact: true }).fill(HTML);
    await drawer.getByRole("button", { name: "Save 1 field as draft" }).click();
    await drawer.waitFor({ state: "hidden" });
    await page.getByText("DEMO01-000016").first().waitFor();
    const { body } = await ask("/systems/pfa/drafts");
    const draft = body.items.find((one) => one.key === "DEMO01-000016");
    must(draft?.fields.model === HTML, "the draft is not there");
    const dropped = await ask("/systems/pfa/drafts/discard", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ edits: [draft.edit], reason: "e2e" }),
    });
    must(dropped.status === 200, "the draft could not be dropped");
  },
  "a filter is an address": async () => {
    await go("/records/pfa?f_category=Cranes&sort=-model");
    await page.getByText("category = Cranes").waitFor();
    const { body } = await ask("/systems/pfa/records?category=Cranes&limit=1");
    await page.getByText(`${body.total.toLocaleString("en-US")} records`).waitFor();
  },
  "a bad CSV is told line by line": async () => {
    await page.getByRole("button", { name: "Import CSV" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("or its text").fill("pfa_id,model\nDEMO01-000051,New\nNOPE-1,x\nDEMO01-000052\n");
    await dialog.getByRole("button", { name: "Check" }).click();
    await dialog.getByText(/1 record would be edited.*2 bad lines/).waitFor();
    await dialog.getByText("1 cells where the header has 2").waitFor();
    await dialog.getByRole("button", { name: "Close", exact: true }).click();
  },
  "20,000 rows or 3,000: only those in view are in the page": async () => {
    await go("/records/pfa");
    const table = page.getByRole("table", { name: "Records" });
    for (let round = 0; round < 8; round += 1) {
      await table.press("End");
      await page.waitForTimeout(150);
    }
    must((await page.getByRole("row").count()) < 80, "the table is not virtualised");
  },
  "the keyboard alone gets from anywhere to a run": async () => {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search or go to" }).fill("runs");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
    await page.getByRole("table", { name: "Runs" }).waitFor();
    const table = page.getByRole("table", { name: "Runs" });
    await table.focus();
    await table.press("ArrowDown");
    await table.press("Enter");
    await page.getByRole("heading", { name: "Events", level: 2 }).waitFor();
  },
  "a link with a filter leads to the filtered list": async () => {
    const { body } = await ask("/runs?system=hearings&limit=50");
    const run = body.items.find((one) => one.tally.quarantined > 0);
    must(run, "the demo has no run with quarantined items");
    await go(`/runs/${run.id}`);
    await page.getByRole("link", { name: "Repair in quarantine" }).click();
    await page.getByRole("heading", { name: "Quarantine", level: 1 }).waitFor();
    must(page.url().endsWith(`?run=${run.id}`), `the address is ${page.url()}`);
    await page.getByText(`of run ${run.id.slice(0, 12)}`).waitFor();
  },
  "a dialog is accessible": async () => {
    await go(`/flags/${flag}`);
    await page.getByRole("button", { name: "Kill", exact: true }).click();
    await page.getByRole("dialog").waitFor();
    await page.waitForTimeout(200);
    const found = await axe(page);
    await page.screenshot({ path: `${out}/dialog.png` });
    must(found.length === 0, found.join("\n"));
  },
};

let failed = 0;
for (const [name, step] of Object.entries(STEPS)) {
  complaints.length = 0;
  try {
    await step();
    must(complaints.length === 0, complaints.join("\n"));
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    await page.screenshot({ path: `${out}/failed-${failed}.png` });
    console.log(
      `FAIL  ${name}\n      ${String(error.message ?? error)
        .split("\n")
        .slice(0, 6)
        .join("\n      ")}`,
    );
  }
}
await browser.close();
app.stop();
console.log(failed === 0 ? "e2e: ok" : `e2e: ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
