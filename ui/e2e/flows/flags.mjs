// A flag from its creation to its kill and back: percentage, keys by name, why somebody gets it, every change with its preview.
import { ask, axe, must } from "../browser.mjs";
import { IMAGE, PATIENCE, SCRIPT, stamp } from "../hand.mjs";

const flag = `e2e-${stamp}`;
const now = async () => (await ask(`/flags/${flag}`)).body;

/** What the server says of one key. */
async function gets(key) {
  const { body } = await ask(`/flags/${flag}/explain`, { context: { userId: key } });
  return body.evaluation.on;
}

export const steps = ({ page, go, heading, button, panel, dialog, decide, close }) => ({
  "a flag is created, and its texts stay texts": async () => {
    await go("/flags");
    await button("Create a flag").click();
    await dialog().getByLabel("Name").fill(flag);
    await dialog().getByLabel("Owner").fill(IMAGE);
    await dialog().getByLabel("What it decides").fill(SCRIPT);
    await decide(IMAGE, "Create flag");
    await heading(flag).waitFor();
    await page.getByText(IMAGE).first().waitFor();
    await page.getByText(SCRIPT).first().waitFor();
    must((await page.locator("main img").count()) === 0, "a text of the data became an element");
    const { flag: made } = await now();
    must(made.owner === IMAGE && made.description === SCRIPT, `the flag is ${JSON.stringify(made)}`);
    must(made.state !== "on", "a new flag is on");
  },

  "it is ramped, with who enters and who leaves": async () => {
    const share = page.getByRole("textbox", { name: "Share of keys that get the flag, in percent" });
    await share.fill("25");
    await button("Change to 25 %…").click();
    const told = await decide("a quarter", "Set 25 %", { preview: true });
    must(/[1-9][\d,]* enter, 0 leave/.test(told), `the preview says: ${told}`);
    await page.getByText("25 % by").first().waitFor();
    const { flag: made } = await now();
    must(made.rollout.percent === 25 && made.state === "on", `the flag is ${JSON.stringify(made)}`);
    await share.fill("10");
    await button("Change to 10 %…").click();
    await dialog().getByLabel("Reason").fill("fewer");
    await dialog().getByRole("button", { name: "Preview" }).click();
    await dialog()
      .getByText(/0 enter, [1-9][\d,]* leave/)
      .waitFor(PATIENCE);
    await close();
    must((await now()).flag.rollout.percent === 25, "a preview changed the flag");
  },

  "keys are allowed and denied by name, and taken away again": async () => {
    const keys = panel("By name");
    const lists = {
      allow: keys.getByRole("button", { name: "Add" }).last(),
      deny: keys.getByRole("button", { name: "Add" }).first(),
    };
    for (const [list, given] of [
      ["allow", ["17", "c-1001"]],
      ["deny", ["18"]],
    ]) {
      await lists[list].click();
      const field = dialog().getByLabel("Keys", { exact: true }).first();
      for (const key of given) {
        await field.fill(key);
        await field.press("Enter");
      }
      await decide(`e2e: ${list}`, "Add", { preview: true });
      await keys.getByText(given.join(", ")).waitFor(PATIENCE);
    }
    const { flag: made } = await now();
    must(
      ["17", "c-1001"].every((key) => key in made.allow),
      `allowed are ${JSON.stringify(made.allow)}`,
    );
    must(made.deny.includes("18"), `denied are ${JSON.stringify(made.deny)}`);
    must((await gets("17")) && !(await gets("18")), "the lists do not decide");
    await keys.getByRole("button", { name: "Remove" }).last().click();
    const field = dialog().getByLabel("Keys", { exact: true }).first();
    await field.fill("c-1001");
    await field.press("Enter");
    await decide("e2e: one less", "Remove", { preview: true });
    await page.waitForFunction(
      () => !document.querySelector("main").textContent.includes("c-1001"),
      undefined,
      PATIENCE,
    );
    must(!("c-1001" in (await now()).flag.allow), "the key is still allowed");
  },

  "why did customer 17 get this: asked in the form, and by a link": async () => {
    const why = panel("Why did this key get it?");
    await why.getByLabel("userId").fill("17");
    await why.getByRole("button", { name: "Ask" }).click();
    await why.getByText("gets it", { exact: true }).waitFor(PATIENCE);
    must(page.url().includes("why=17"), `the address is ${page.url()}`);
    await why.getByRole("listitem").filter({ hasText: "17" }).first().waitFor();
    await go(`/flags/${flag}?why=18`);
    await page.getByText("does not get it", { exact: true }).waitFor(PATIENCE);
    await page.getByText(/`18` does not get/).waitFor();
  },

  "it is killed, and is off for everybody": async () => {
    await button("Kill").click();
    const told = await decide("wrong totals", "Kill the flag", { preview: true });
    must(/0 enter, [1-9][\d,]* leave/.test(told), `the preview says: ${told}`);
    await page.getByText("killed").first().waitFor();
    must((await now()).flag.state === "killed", "the flag is not killed");
    must(!(await gets("17")), "a killed flag is still on for an allowed key");
  },

  "an earlier version is brought back": async () => {
    const { version } = await now();
    await page.getByRole("button", { name: "Bring back" }).first().click();
    await decide("it was right", "Bring back", { preview: true });
    await page
      .getByText(`version ${version + 1}`)
      .first()
      .waitFor(PATIENCE);
    const { flag: made } = await now();
    must(made.state === "on" && made.rollout.percent === 25, `the flag is ${JSON.stringify(made)}`);
    must(await gets("17"), "the version came back without its keys");
    must((await ask(`/flags/${flag}/history`)).body.length >= 7, "the history has lost changes");
  },

  "a dialog is accessible": async () => {
    await go(`/flags/${flag}`);
    await button("Kill").click();
    await dialog().getByLabel("Reason").waitFor();
    const violations = await axe(page);
    must(violations.length === 0, violations.join("\n"));
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "hidden" });
  },
});
