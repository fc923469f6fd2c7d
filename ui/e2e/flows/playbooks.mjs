// A playbook through a gate: the gate says GO by facts on record, a person approves, and all of it is taken back.
import { ask, must } from "../browser.mjs";
import { PATIENCE, until } from "../hand.mjs";

const FLAG = "demo-first-steps";

const flag = async () => {
  const { status, body } = await ask(`/flags/${FLAG}`);
  return status === 200 && !body.archived ? body.flag : null;
};

export const steps = ({ page, go, heading, button, panel, decide }) => {
  let run;
  const told = async () => (await ask(`/playbook-runs/${run}`)).body;
  const standing = (status) =>
    until(told, (answer) => answer.run.status === status, `the run of the playbook never was ${status}`, 90);

  return {
    "a gate is asked in the page, and says GO": async () => {
      await go("/gates/demo%2Fmay-go-on");
      await heading("Demo: may the next step follow?").waitFor();
      await button("Ask the evidence").click();
      await decide("e2e: may we?", "Ask");
      await page.getByText("GO", { exact: true }).first().waitFor(PATIENCE);
      await panel("What blocks it").getByText("Nothing blocks it").waitFor();
      await panel("Criteria and evidence").getByText("Somebody has looked at the figures").waitFor();
      const { body } = await ask("/gates/demo%2Fmay-go-on");
      must(body.judgement.verdict === "GO", `the gate says ${body.judgement.verdict}`);
      must(body.history.length > 0, "the verdict is not on record");
    },

    "a playbook is started, passes the gate and waits for a person": async () => {
      must((await flag()) === null, `the flag ${FLAG} is there already`);
      await go("/playbooks");
      await page.getByRole("link", { name: "Demo: a playbook through a gate" }).click();
      await heading("Demo: a playbook through a gate").waitFor();
      must((await panel("Steps").getByRole("listitem").count()) === 4, "the page does not show four steps");
      await button("Start…").click();
      await decide("e2e: first steps", "Start");
      await page.waitForURL(/\/playbook-runs\//, PATIENCE);
      run = decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1));
      await button("Approve agree").waitFor({ timeout: 60_000 });
      const answer = await standing("waiting");
      const done = answer.steps.filter((one) => one.status === "done").map((one) => one.step);
      must(
        ["flag", "gate"].every((step) => done.includes(step)),
        `done are ${done.join(", ")}`,
      );
      must((await flag()) && (await flag()).state !== "on", "the flag is not there, or on already");
    },

    "a person approves, and it ends done": async () => {
      await button("Approve agree").click();
      await decide("e2e: agreed", "Approve");
      await button("Go on").click();
      await decide("e2e: approved", "Go on");
      await standing("done");
      await page.getByText("done", { exact: true }).first().waitFor(PATIENCE);
      must((await flag()).rollout.percent === 10, "the last step did not ramp the flag");
      await button("Approve agree").waitFor({ state: "hidden" });
      await button("Go on").waitFor({ state: "hidden", ...PATIENCE });
    },

    "it is rolled back, the last step first": async () => {
      await page.getByText("What would take it back").waitFor();
      await button("Roll back").click();
      await decide("e2e: taken back", "Roll back");
      const answer = await standing("rolled_back");
      await page.getByText("rolled back", { exact: true }).first().waitFor(PATIENCE);
      const undone = answer.steps.filter((one) => one.action === "undo").map((one) => one.step);
      must(undone[0] === "ramp" && undone.at(-1) === "flag", `taken back were ${undone.join(", ")}`);
      must((await flag()) === null, "the flag is still there");
      await go("/playbooks");
      await page.getByRole("table", { name: "Runs of playbooks" }).getByText("rolled back").first().waitFor();
    },
  };
};
