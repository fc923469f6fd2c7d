// Customers on their way: drawing a cohort with its balance, a gate that holds everybody back, one member on, one back.
import { ask, must } from "../browser.mjs";
import { PATIENCE, until } from "../hand.mjs";

const BASE = "/systems/luckygas/pilot";
const members = async () => (await ask(`${BASE}/members?limit=1000`)).body.items;
const memberOf = async (customer) => (await ask(`${BASE}/members/${customer}`)).body.members[0];

export const steps = ({ page, go, heading, button, panel, rows, dialog, decide, close }) => {
  let chosen;
  /** Carries, as often as it takes. */
  const carried = (asks, holds, what) =>
    until(
      async () => {
        await button("Carry now").click();
        await page.waitForFunction(() => !document.querySelector("button[data-loading]"), undefined, PATIENCE);
        return asks();
      },
      holds,
      what,
    );
  return {
    "a cohort is drawn in the page, with its balance, and nothing is kept": async () => {
      const before = (await ask(BASE)).body.selection;
      await go("/pilot?tab=selection");
      await page.getByLabel("Percent").fill("15");
      await button("Look at the balance").click();
      const table = page.getByRole("table", { name: "Balance" });
      await table.waitFor(PATIENCE);
      must((await table.getByRole("row").count()) > 3, "the balance has no rows");
      await page.getByRole("table", { name: "Strata" }).waitFor();
      await panel("Balance")
        .getByText(/balanced/)
        .waitFor();
      await page.getByText("Largest difference").waitFor();
      must((await ask(BASE)).body.selection?.number === before?.number, "a look kept a selection");
    },

    "the selection is kept, and its new customers are enrolled and started": async () => {
      const before = (await ask(BASE)).body.selection;
      const was = (await members()).length;
      await button("Keep the selection…").click();
      await decide("e2e: the second week", "Keep selection");
      const { selection } = (await ask(BASE)).body;
      must(selection.number === before.number + 1, `the newest selection is ${selection.number}`);
      must(selection.members === 60, `it has ${selection.members} of 400 customers`);
      await button("Enrol the newest selection…").click();
      const told = await decide("e2e: the second week", "Enrol", { preview: true });
      must(told.includes("60 customers would be enrolled"), `the preview says: ${told}`);
      const after = await members();
      must(after.length === 60 && after.length > was, `there are ${after.length} members`);
      [chosen] = after.filter((one) => one.stage === "waiting");
      must(chosen, "nobody new waits");
    },

    "the new members are started and carried until they are compared": async () => {
      const waiting = (await members()).filter((one) => one.stage === "waiting").length;
      await go("/pilot");
      await button("Start").click();
      const told = await decide("e2e: begin", "Start", { preview: true });
      must(told.includes(`${waiting} members would move`), `the preview says: ${told}`);
      await carried(
        members,
        (all) => all.every((one) => !["waiting", "snapshot", "catch_up"].includes(one.stage)),
        "the new members were never compared",
      );
      await page.getByRole("textbox", { name: "Customer" }).fill(chosen.customer);
      await rows("Members of the pilot", chosen.customer).getByText("verify").waitFor(PATIENCE);
    },

    "the gate holds everybody back, and says so": async () => {
      await button("Advance…").click();
      const name = dialog().getByLabel("Customer", { exact: true }).first();
      await name.fill(chosen.customer);
      await name.press("Enter");
      await dialog().getByLabel("Reason").fill("e2e: may they?");
      await dialog().getByRole("button", { name: "Preview" }).click();
      await dialog()
        .getByRole("alert")
        .getByText(/the gate after verify says/)
        .waitFor(PATIENCE);
      await dialog().getByRole("button", { name: "Advance", exact: true }).click();
      await dialog()
        .getByRole("alert")
        .getByText(/the gate after verify says/)
        .waitFor(PATIENCE);
      await close();
      must((await memberOf(chosen.customer)).stage === "verify", "the gate let somebody on");
    },

    "a member goes on past the stage, forced by name, and the stage is seen in the list": async () => {
      await button("Advance…").click();
      const name = dialog().getByLabel("Customer", { exact: true }).first();
      await name.fill(chosen.customer);
      await name.press("Enter");
      await dialog().getByLabel("Force it, losing at most so many writes").fill("0");
      must(
        await dialog().getByRole("button", { name: "Advance", exact: true }).isDisabled(),
        "no writes need be named",
      );
      await dialog().getByLabel("Which writes").fill("none");
      await decide("e2e: the demo has no evidence", "Advance", { preview: true });
      await until(
        () => memberOf(chosen.customer),
        (one) => one.stage === "shadow_reads",
        "the member did not move",
      );
      await rows("Members of the pilot", chosen.customer).getByText("shadow reads").waitFor(PATIENCE);
      const { report } = (await ask(BASE)).body;
      must(report.forced_steps >= 1, "the forced step is not counted");
    },

    "it is rolled back, and its certificate is whole": async () => {
      await page.getByRole("link", { name: chosen.customer, exact: true }).click();
      await heading(`Member ${chosen.customer}`).waitFor();
      await page.getByText("shadow reads").first().waitFor();
      await button("Roll back…").click();
      await decide("e2e: asked back", "Roll back", { preview: true });
      await go("/pilot");
      await carried(
        () => memberOf(chosen.customer),
        (one) => one.stage === "rolled_back",
        "the member never came back",
      );
      await go(`/pilot/members/${chosen.customer}`);
      await page.getByText("rolled back").first().waitFor();
      must((await rows("What happened", "").count()) > 2, "the page tells nothing of what happened");
      await page.getByRole("link", { name: "Certificate" }).click();
      await heading(`Certificate of rollback ${chosen.customer}`).waitFor();
      await panel("What it says").getByText("e2e: asked back").waitFor(PATIENCE);
      const { body } = await ask(`${BASE}/members/${chosen.customer}/certificate`);
      const { tables } = body.signed.certificate;
      must(tables.length > 0, "the certificate names no table");
      for (const table of tables) must(table.after.digest === table.oracle.digest, "a digest is not the oracle's");
      must((await panel("Tables").getByText("equal").count()) === tables.length, "the page hides a table");
    },

    "both sides are compared, and what differs is told": async () => {
      await go("/pilot?tab=parity");
      const table = page.getByRole("table", { name: "Parity by entity" });
      await table.waitFor({ timeout: 60_000 });
      must((await table.getByRole("row").count()) > 2, "no entity is compared");
    },
  };
};
