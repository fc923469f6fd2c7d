// What runs and what is watched by itself: a schedule is run now, paused and resumed; checks are run and read.
import { ask, must } from "../browser.mjs";
import { PATIENCE, until } from "../hand.mjs";

const NAME = "daily-health-hearings";

const scheduled = async () => {
  const { body } = await ask("/schedules?limit=500");
  return body.items.find((one) => one.schedule.name === NAME);
};

export const steps = ({ page, go, button, rows, decide }) => ({
  "a schedule is run now, paused and resumed": async () => {
    await go("/schedules");
    const row = rows("Schedules", NAME);
    const before = (await scheduled()).runs.length;
    await row.getByRole("button", { name: "Run now" }).click();
    await decide("e2e: once more", "Run now");
    await until(scheduled, (one) => one.runs.length > before && one.runs[0].finished_at, "it never ran");
    await row.getByRole("button", { name: "Pause" }).click();
    await decide("e2e: not tonight", "Pause");
    await row.getByText("paused").waitFor(PATIENCE);
    must(!(await scheduled()).schedule.enabled, "it is not paused");
    await row.getByRole("button", { name: "Resume" }).click();
    await decide("e2e: as before", "Resume");
    await row.getByText("on", { exact: true }).waitFor(PATIENCE);
    must((await scheduled()).schedule.enabled, "it is not resumed");
  },

  "the checks of a system are run, and the answer of one is read": async () => {
    const CHECK = "updates-are-recent";
    const answer = async () => (await ask(`/checks/hearings/${CHECK}`)).body.last;
    const before = await answer();
    await go("/checks?system=hearings");
    await button("Run the checks of hearings").click();
    await decide("e2e: is it right?", "Run checks");
    const after = await until(answer, (one) => one && one.checked_at !== before?.checked_at, "the check never ran");
    const { title } = (await ask(`/checks/hearings/${CHECK}`)).body;
    await rows("Checks", title).click();
    await page.getByText(CHECK, { exact: true }).first().waitFor(PATIENCE);
    await page.getByText(after.verdict, { exact: true }).first().waitFor(PATIENCE);
    must(["pass", "fail", "warn", "inconclusive"].includes(after.verdict), `the verdict is ${after.verdict}`);
  },
});
