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
    must(["pass", "fail", "warn", "error", "unknown"].includes(after.verdict), `the verdict is ${after.verdict}`);
  },

  "rows that break a rule are looked at, and a chamber stands beside the other": async () => {
    const checks = (await ask("/checks?system=opencode&limit=500")).body.items;
    let failing;
    let body;
    // Not every check has rows to show: some measure one figure.
    for (const one of checks.filter((check) => check.last?.verdict === "fail")) {
      const looked = (await ask(`/checks/opencode/${one.check}/look`)).body;
      if (looked.samples?.length > 0) [failing, body] = [one, looked];
    }
    must(failing, "no check of the demo that fails names rows");
    await go(`/checks/opencode/${failing.check}`);
    const shown = page.getByRole("table", { name: "Rows that break the rule" });
    await until(
      () => shown.getByRole("row").count(),
      (count) => count > 1,
      "no row is shown",
    );
    for (const name of Object.keys(body.samples[0])) await shown.getByText(name, { exact: true }).waitFor(PATIENCE);
    await go("/checks/hearings/titles-are-there");
    const trend = (await ask("/checks/hearings/titles-are-there")).body.trend.length;
    await page.getByLabel("Keys of members").fill("House");
    await button("Compare").click();
    const beside = (await ask("/checks/hearings/titles-are-there/look?cohort=House")).body;
    must(beside.cohort?.control_size > 0 && beside.sample_size > 0, "one of the chambers has no hearing");
    await page.getByText("Everybody else", { exact: true }).waitFor(PATIENCE);
    await page.getByText(beside.cohort.control_size.toLocaleString("en-US"), { exact: true }).first().waitFor(PATIENCE);
    must((await ask("/checks/hearings/titles-are-there")).body.trend.length === trend, "looking kept a result");
  },

  "a check that fails is an incident that somebody takes": async () => {
    const of = async () => (await ask("/alerts")).body.incidents.find((one) => one.cause.startsWith("check/gauges/"));
    const incident = await of();
    must(incident?.status === "open", "no incident tells of the check");
    await go("/alerts");
    await rows("Incidents", incident.title).first().click();
    await page.getByText(incident.cause, { exact: true }).waitFor(PATIENCE);
    await button("Take it").click();
    await decide("e2e: I look for it", "Take it");
    const taken = await until(of, (one) => one.status === "acknowledged", "nobody took it");
    must(taken.acknowledged_by === "demo-admin", `it was taken by ${taken.acknowledged_by}`);
  },
});
