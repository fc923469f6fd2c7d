// The laboratory: a vacant place filled, a set unpaired, a set retired, a place looked into, an ID that is taken, and the audit.
import { ask, must, settled } from "../browser.mjs";
import { PATIENCE, SCRIPT } from "../hand.mjs";

const setOf = async (set) => (await ask(`/gauge-sets/${set}`)).body;

export const steps = ({ page, go, heading, button, panel, rows, dialog, decide }) => {
  /** Sets that can be used. */
  let usable;
  /** The set that lacks one of its two. */
  let lacking;
  const exports = () => panel("Export for an audit");
  /** The text of the file that something lets the browser save. */
  const saved = async (act) => {
    const coming = page
      .context()
      .waitForEvent("download", PATIENCE)
      .catch(() => null);
    const here = page.waitForEvent("download", PATIENCE).catch(() => null);
    await act();
    const file = await Promise.race([here, coming].map((one) => one.then((found) => found ?? new Promise(() => {}))));
    let text = "";
    for await (const part of await file.createReadStream()) text += part;
    return text;
  };
  return {
    "a place opens from a set, with what is kept there": async () => {
      usable = (await ask("/gauge-sets?state=complete&limit=1000")).body.items.filter((one) => one.state.usable);
      must(usable.length > 2, "the demo has too few sets that can be used");
      const one = usable.find((set) => set.members[0].location);
      const { location } = one.members[0];
      await go(`/gauges/${one.set_id}`);
      await panel("GO").getByRole("button", { name: location }).click();
      const { body } = await ask(`/gauge-locations/${encodeURIComponent(location)}`);
      await dialog()
        .getByRole("table", { name: `Kept at ${location}` })
        .waitFor(PATIENCE);
      must(body.content.length > 0, "nothing is kept at the place of a set");
      await dialog().getByText(body.content[0].serial, { exact: true }).waitFor();
      await page.keyboard.press("Escape");
      await dialog().waitFor({ state: "hidden" });
    },

    "a set is unpaired, and its gauges become spares": async () => {
      // Of the kind of which another set lacks one.
      const [{ set: vacant }] = (await ask("/gauge-sets/incomplete?limit=1000")).body.items;
      lacking = await setOf(vacant);
      const kind = JSON.stringify(lacking.likeness);
      const { set_id: set, members } = usable.find((one) => JSON.stringify(one.likeness) === kind);
      usable = usable.filter((one) => one.set_id !== set);
      await go(`/gauges/${set}`);
      await button("Unpair").click();
      await dialog().getByText(members[0].serial).waitFor();
      await decide(SCRIPT, "Unpair the set", { preview: true });
      await page.getByText("unpaired").first().waitFor(PATIENCE);
      must((await button("Retire").count()) === 0, "a set that has ended can be retired");
      const { state } = await setOf(set);
      must(state.membership.ended?.how === "unpaired", `the set is ${JSON.stringify(state)}`);
      const { body } = await ask(`/gauges/${members[0].serial}`);
      must(!(body.gauge ?? body).set_id, `${members[0].serial} is still in a set`);
      await rows("History of the set", SCRIPT).first().waitFor();
    },

    "the incomplete set is found, and the best spare that fits fills it": async () => {
      const { body } = await ask("/gauge-sets/incomplete?limit=1000");
      const vacant = body.items.find((one) => one.set === lacking.set_id);
      must(vacant.fitting > 0, "the gauges of the unpaired set are no spares that fit");
      await go("/gauges?tab=incomplete");
      const row = rows("Incomplete sets", vacant.set);
      await row.getByText(vacant.missing[0] === "go" ? "GO" : "NO-GO", { exact: true }).waitFor();
      await row.getByRole("button", { name: "Find replacement" }).click();
      const candidates = (await ask(`/gauge-sets/${vacant.set}/candidates?side=${vacant.missing[0]}&limit=500`)).body
        .items;
      const spares = dialog().getByRole("radiogroup", { name: "Spares, the best first" });
      await spares.waitFor(PATIENCE);
      must((await spares.getByRole("radio").count()) === candidates.length, "the dialog leaves spares out");
      const wrong = candidates.find((one) => !one.fits);
      if (wrong) {
        must(await spares.getByRole("radio", { name: wrong.serial }).isDisabled(), `${wrong.serial} can be chosen`);
        await dialog().getByText(wrong.refused[0].text).first().waitFor();
      }
      const best = candidates.find((one) => one.fits);
      must(candidates.indexOf(best) === 0, "a spare that fits is not the first");
      must(best.serial === vacant.best, `the best is ${best.serial}, the list says ${vacant.best}`);
      await dialog().getByText("best", { exact: true }).waitFor();
      await spares.getByRole("radio", { name: best.serial }).check();
      await decide("e2e: the lost one is replaced", "Fill the place", { preview: true });
      await row.waitFor({ state: "hidden", ...PATIENCE });
      const set = await setOf(vacant.set);
      must(set.state.membership === "complete", `the set is ${JSON.stringify(set.state)}`);
      must(
        set.members.some((one) => one.serial === best.serial),
        "the spare did not join the set",
      );
      await go(`/gauges/${vacant.set}`);
      await panel(vacant.missing[0] === "go" ? "GO" : "NO-GO")
        .getByText(best.serial)
        .waitFor();
      await rows("History of the set", "e2e: the lost one is replaced").first().waitFor();
    },

    "a set is retired, for a reason of at least ten characters": async () => {
      const { set_id: set } = usable[1];
      await go(`/gauges/${set}`);
      await button("Retire").click();
      await dialog().getByLabel("Reason").fill("worn out");
      must(await dialog().getByRole("button", { name: "Retire the set" }).isDisabled(), "a short reason is taken");
      await decide("e2e: both are worn out", "Retire the set", { preview: true });
      await page.getByText("retired").first().waitFor(PATIENCE);
      const { state } = await setOf(set);
      must(state.membership.ended?.how === "retired", `the set is ${JSON.stringify(state)}`);
    },

    "an ID that was used once is taken for ever, and a free one is named": async () => {
      await go("/gauges");
      const field = page.getByLabel("Is this set ID free?");
      const used = usable[1].set_id;
      await field.fill(used);
      const answer = (await ask(`/gauge-sets/check-availability/${used}`)).body;
      must(answer.available === false, "an ID that was used is free");
      await page.getByText(answer.reason).waitFor(PATIENCE);
      if (answer.suggestion) {
        await page.getByText(`next free: ${answer.suggestion}`).waitFor();
        await field.fill(answer.suggestion);
        await page.getByText("free", { exact: true }).waitFor(PATIENCE);
      }
    },

    "the history is verified and exported": async () => {
      await go("/gauges?tab=audit");
      await page.getByText("Every line and row agrees").waitFor({ timeout: 60_000 });
      const lines = await saved(() => exports().getByRole("link", { name: "CSV" }).click());
      must(lines.split("\n").length > 100, `the export has ${lines.split("\n").length} lines`);
      must(lines.includes("e2e: both are worn out"), "the export leaves the retirement out");
      await exports().getByLabel("Set").fill(usable[1].set_id);
      const printed = await saved(() => exports().getByRole("link", { name: "Page to print" }).click());
      must(printed.includes("e2e: both are worn out"), "the page to print leaves the retirement out");
      must(!printed.includes(SCRIPT), "the page to print has a text as HTML");
      await go("/gauges?tab=calibration");
      await settled(page);
      await heading("Gauge sets").waitFor();
      must(
        (await page.getByRole("table", { name: "Gauges that are due" }).getByRole("row").count()) > 1,
        "nothing is due",
      );
    },
  };
};
