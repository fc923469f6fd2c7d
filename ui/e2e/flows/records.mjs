// Records of a linked system: conflicts one by one and many at once, drafts, filters, an import with bad lines, a long grid.
import { ask, must } from "../browser.mjs";
import { IMAGE, PATIENCE, SCRIPT, until } from "../hand.mjs";

const open = async () => (await ask("/systems/pfa/conflicts")).body.items;

export const steps = ({ page, go, heading, button, rows, decide, dialog }) => ({
  "a conflict is decided field by field": async () => {
    const [conflict] = await open();
    must(conflict, "the demo has no open conflict");
    await go(`/conflicts/pfa?record=${conflict.key}`);
    const { mine, theirs } = conflict.fields.model;
    await page.getByRole("cell", { name: mine, exact: true }).waitFor();
    await page.getByRole("cell", { name: theirs, exact: true }).waitFor();
    await page.getByLabel("Take for model").getByText("Theirs").click();
    await button("Decide…").click();
    const told = await decide("theirs is right", "Decide", { preview: true });
    must(told.includes(theirs), `the preview says: ${told}`);
    const left = (await open()).map((one) => one.key);
    must(!left.includes(conflict.key), "the conflict is still open");
    const { body } = await ask(`/systems/pfa/records/${conflict.key}`);
    must(body.mine.model === theirs, `the record has the model ${body.mine.model}`);
    await go(`/records/pfa/${conflict.key}`);
    await page.getByText("theirs is right").first().waitFor();
  },

  "the others are decided together, all but one": async () => {
    const before = await open();
    must(before.length > 2, `the demo has ${before.length} open conflicts`);
    await go("/conflicts/pfa");
    await button("Choose all").click();
    await page.getByText(`${before.length} conflicts chosen`).waitFor();
    const spared = before.at(-1).key;
    await page.getByRole("checkbox", { name: `Choose ${spared}` }).uncheck();
    await page.getByText(`${before.length - 1} conflicts chosen`).waitFor();
    await button("Take mine for all").click();
    const told = await decide("ours was measured", "Take mine", { preview: true });
    must(told.includes(`${before.length - 1} conflicts would be decided`), `the preview says: ${told}`);
    await rows("Conflicts", before[0].key).waitFor({ state: "hidden", ...PATIENCE });
    const after = (await open()).map((one) => one.key);
    must(after.length === 1 && after[0] === spared, `open are ${after.join(", ")}`);
    await go("/conflicts/pfa?all=true");
    await rows("Conflicts", before[0].key).getByText("decided").waitFor();
  },

  "what was decided is sent to the remote, and both sides agree": async () => {
    await go("/sync/pfa");
    await button("Sync now").click();
    await decide("e2e: send it", "Sync now", { preview: true });
    const sent = () => ask("/systems/pfa/edits?state=queued&limit=1");
    await until(sent, ({ body }) => body.total === 0, "edits wait to be sent");
    await page.getByText("Nothing waits to be sent").waitFor(PATIENCE);
    const { body } = await ask("/systems/pfa/records?model=Demo+here&limit=100");
    must(body.items.length >= 3, `${body.items.length} records have our value`);
    must(body.items.filter((one) => one.state === "synced").length >= 3, "what was sent is not agreed");
  },

  "a record is edited as a draft, which nobody else sees, and dropped": async () => {
    const key = "DEMO01-000016";
    await go("/records/pfa");
    await page.getByText(key).first().click();
    await dialog().getByLabel("model", { exact: true }).fill(IMAGE);
    await dialog().getByLabel("Reason").fill(SCRIPT);
    await dialog().getByRole("button", { name: "Save 1 field as draft" }).click();
    await dialog().waitFor({ state: "hidden" });
    await page.getByText("You have 1 draft").waitFor(PATIENCE);
    const { body } = await ask("/systems/pfa/drafts?everybody=true");
    const draft = body.items.find((one) => one.key === key);
    must(
      draft?.fields.model === IMAGE && draft.author === "demo-admin",
      `the drafts are ${JSON.stringify(body.items)}`,
    );
    must((await ask(`/systems/pfa/records/${key}`)).body.mine.model !== IMAGE, "somebody else sees the draft");
    await page.getByText(IMAGE).first().waitFor();
    await go(`/records/pfa/${key}`);
    await page.getByText(IMAGE).first().waitFor();
    must((await page.locator("main img").count()) === 0, "a text of the data became an element");
    await go("/records/pfa");
    await button("Discard all…").click();
    await decide(SCRIPT, "Discard", { preview: true });
    await page.getByText("You have 1 draft").waitFor({ state: "hidden", ...PATIENCE });
    const left = (await ask("/systems/pfa/drafts?everybody=true")).body.items;
    must(!left.some((one) => one.key === key && one.state === "draft"), "the draft is still there");
  },

  "a filter is an address": async () => {
    await go("/records/pfa?f_category=Cranes&sort=-model");
    await page.getByText("category = Cranes").waitFor();
    const { body } = await ask("/systems/pfa/records?category=Cranes&limit=1");
    must(body.total > 0, "the demo has no cranes");
    await page.getByText(`${body.total.toLocaleString("en-US")} records`).waitFor();
  },

  "a bad CSV is told line by line, and its good lines go in": async () => {
    const text = "pfa_id,model\nDEMO01-000051,New\nNOPE-1,x\nDEMO01-000052\n";
    await button("Import CSV").click();
    await dialog().getByLabel("or its text").fill(text);
    await dialog().getByRole("button", { name: "Check" }).click();
    await dialog()
      .getByText(/1 record would be edited.*2 bad lines/)
      .waitFor();
    await dialog().getByText("1 cells where the header has 2").waitFor();
    const drafts = async () => (await ask("/systems/pfa/drafts?everybody=true")).body.items;
    must(!(await drafts()).some((one) => one.key === "DEMO01-000051"), "a check made a draft");
    await dialog().getByRole("button", { name: "Import the good lines" }).click();
    await dialog()
      .getByText(/1 record edited.*2 bad lines/)
      .waitFor(PATIENCE);
    await dialog().getByRole("button", { name: "Close", exact: true }).click();
    const made = (await drafts()).find((one) => one.key === "DEMO01-000051");
    must(made?.fields.model === "New", "the good line did not go in");
    await button("Discard all…").click();
    await decide("e2e", "Discard");
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
    await heading("Runs").waitFor();
    const table = page.getByRole("table", { name: "Runs" });
    await table.waitFor();
    await table.focus();
    await table.press("ArrowDown");
    await table.press("Enter");
    await heading("Events", 2).waitFor();
  },
});
