// The main job: a run is undone from the overview; a plan is made, read, approved, applied and watched; a row that was
// refused is repaired and replayed; and all of it is taken back.
import { ask, must, settled } from "../browser.mjs";
import { PATIENCE, until } from "../hand.mjs";

const PROMISED_MS = 60_000;

/** The newest run of the daily update that is no undo. */
async function newest() {
  const { body } = await ask("/runs?system=hearings&limit=50");
  return body.items.find((run) => run.change === "daily-update" && !run.undoes);
}

const runOf = async (id) => (await ask(`/runs/${id}`)).body.run;

/** The run that the page shows now. */
const shown = (page) => decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1));

/** Undoes the run that is open, and waits until the page shows the finished undo. */
async function undo({ page, button, dialog, confirm }, run, reason) {
  await button("Undo…").click();
  const before = page.url();
  await dialog()
    .getByRole("radio", { name: /refuse/ })
    .waitFor();
  await dialog().getByLabel("Reason").fill(reason);
  await dialog().getByRole("button", { name: "Preview" }).click();
  const told = dialog().getByRole("status", { name: "What would happen" });
  await told.waitFor(PATIENCE);
  const says = await told.textContent();
  await confirm("Undo run");
  await page.waitForURL((url) => url.href !== before, PATIENCE);
  await page.getByText("takes back").waitFor(PATIENCE);
  await page.getByText("finished").first().waitFor(PATIENCE);
  const back = await runOf(shown(page));
  must(back.undoes === run.id, `the page shows ${back.id}, which does not take ${run.id} back`);
  must(back.status === "finished" && back.reason === reason, `the undo is ${back.status} for "${back.reason}"`);
  return { back, says };
}

export const steps = (hand) => {
  const { page, go, heading, button, panel, rows, choose, decide, dialog } = hand;
  /** Says in the open dialog how the run is to go. */
  const pace = async (now, fields) => {
    await dialog()
      .getByRole("button", { name: `How it goes: ${now}` })
      .click();
    for (const [label, value] of Object.entries(fields)) await dialog().getByLabel(label).fill(value);
  };
  let plan;
  let run;
  /** The key of the row that was replayed. */
  let replayed;

  return {
    "from the overview to an undone run, in less than a minute": async () => {
      run = await newest();
      must(run?.tally.applied > 0, "the demo has no run that can be undone");
      const began = Date.now();
      await go("/");
      await rows("Newest runs", run.id.slice(0, 12)).click();
      await heading("hearings daily-update").waitFor();
      const { back, says } = await undo(hand, run, "the source was wrong");
      const took = Date.now() - began;
      must(says.includes("nothing was edited since"), `the preview says: ${says}`);
      must(back.tally.applied === run.tally.applied, `${back.tally.applied} of ${run.tally.applied} items went back`);
      must(took < PROMISED_MS, `it took ${took} ms`);
      console.log(`      from the overview to the undone run: ${(took / 1000).toFixed(1)} s`);
    },

    "a trial of the change is read, and what another would run is looked at": async () => {
      const [trial] = (await ask("/trials?system=hearings")).body.items;
      await go("/systems/hearings");
      await panel("Newest daily-update").getByText(`${run.tally.applied} applied`).waitFor(PATIENCE);
      await rows("Trials", trial.change).first().click();
      await heading("Trial: hearings daily-update").waitFor(PATIENCE);
      const { report } = (await ask(`/trials/${trial.id}`)).body;
      const judged = page.getByRole("table", { name: "Criteria" }).getByRole("row");
      must((await judged.count()) === report.decision.criteria.length + 1, "a criterion is missing");
      const { good, of } = report.validation.counted.kept;
      await rows("What held", `${good.toLocaleString("en-US")} of ${of.toLocaleString("en-US")}`)
        .first()
        .waitFor();
      const speeds = page.getByRole("table", { name: "Speeds" }).getByRole("row");
      must((await speeds.count()) === report.trial.speed.sizes.length + 2, "a path is missing");
      await go("/systems/hearings");
      await button("Try a change").click();
      await dialog().getByLabel("Reason").fill("e2e: what would it run?");
      await dialog().getByRole("button", { name: "Preview" }).click();
      await dialog()
        .getByText(/^plimsoll trial hearings daily-update .*--sizes=25,50,100 --rounds=5/)
        .waitFor(PATIENCE);
      await hand.close();
      must((await ask("/trials?system=hearings")).body.total === 1, "a preview began a trial");
    },

    "a plan is made, and its row diff is read": async () => {
      // A record that waits in quarantine just as it is is skipped; one that was settled is refused anew.
      const [settledBefore] = (await ask("/quarantine?limit=500")).body.items.filter(lacksTitle);
      await ask(`/quarantine/${settledBefore.id}/repair`, { body: repaired(settledBefore, "Earlier"), reason: "e2e" });
      await ask(`/quarantine/${settledBefore.id}/replay`, { reason: "e2e" });
      await go("/plans");
      await button("Make a plan").click();
      await choose(dialog().getByRole("combobox", { name: "System" }), "hearings");
      await choose(dialog().getByRole("combobox", { name: "Change" }), "daily-update");
      await decide("e2e: the daily update", "Make plan");
      await heading("Plan: hearings daily-update").waitFor(PATIENCE);
      await settled(page);
      const { body } = await ask(`/plans/${shown(page)}?limit=1000`);
      plan = body.plan;
      must(plan.status === "ready" && plan.items >= 300, `the plan is ${plan.status} with ${plan.items} items`);
      const update = body.items.items.find((one) => one.changes.some((change) => change.kind === "update"));
      must(update, "the plan updates no row");
      await go(`/plans/${plan.id}?item=${update.item}`);
      const change = update.changes.find((one) => one.kind === "update");
      await page.getByText(`${change.table} ${change.key} updated`).first().waitFor();
      const column = Object.keys(change.after).find(
        (name) => JSON.stringify(change.after[name]) !== JSON.stringify(change.before[name]),
      );
      must(
        await page.getByRole("rowheader", { name: column, exact: true }).first().isVisible(),
        `no row for ${column}`,
      );
      must((await page.locator("td.removed").count()) > 0, "the diff has no value before");
      must((await page.locator("td.added").count()) > 0, "the diff has no value after");
      await panel("Assessment")
        .getByText(/items|rows/)
        .first()
        .waitFor(PATIENCE);
      must((await newest()).id === run.id, "making a plan began a run");
      const own = (await ask("/plans?system=hearings&limit=50")).body.items;
      must(
        own[0]?.id === plan.id && own.every((one) => one.system === "hearings"),
        "the list of plans is not filtered",
      );
    },

    "it is approved": async () => {
      await button("Approve").click();
      await decide("read and agreed", "Approve plan");
      await page.getByText("by demo-admin").waitFor();
      const { body } = await ask(`/plans/${plan.id}?limit=1`);
      must(body.plan.approved_by === "demo-admin", `it is approved by ${body.plan.approved_by}`);
      must(body.plan.approved_digest === plan.digest, "the approval is bound to another digest");
    },

    "it is applied in small steps, watched live, paused, and gone on with": async () => {
      await button("Apply").click();
      await pace("as configured", { "Items in one batch": "5", "Wait between batches": "300" });
      await decide("e2e: approved", "Apply plan");
      await heading("hearings daily-update").waitFor(PATIENCE);
      const bar = page.getByRole("progressbar", { name: "Share of the run that is done" });
      await bar.waitFor(PATIENCE);
      run = await runOf(shown(page));
      must(run.settings.batch_size === 5 && run.settings.throttle_ms === 300, "it does not go as it was asked");
      // The bar moves by itself: nothing is clicked, and the page is not loaded again.
      const shares = new Set();
      const under = async () => {
        const share = Number(await bar.getAttribute("aria-valuenow", { timeout: 5_000 }));
        if (share > 0 && share < 100) shares.add(share);
        return shares.size;
      };
      await until(under, (size) => size >= 5, "the bar does not move");
      const seen = [...shares];
      must(
        seen.every((share, at) => at === 0 || share > seen[at - 1]),
        `the bar went back: ${seen}`,
      );
      await panel("Progress")
        .getByText(/ left$/)
        .waitFor(PATIENCE);
      await panel("Progress")
        .getByText(/ items\/s$/)
        .waitFor(PATIENCE);
      await panel("Progress").getByText("live", { exact: true }).waitFor(PATIENCE);
      console.log(`      seen live: ${seen.map((share) => `${share.toFixed(0)} %`).join(", ")}`);
      await button("Pause").click();
      await decide("e2e: a look first", "Pause run");
      await page.getByText("paused", { exact: true }).first().waitFor(PATIENCE);
      const paused = await runOf(run.id);
      must(paused.status === "paused", `the run is ${paused.status}`);
      const { applied, planned } = paused.tally;
      must(applied > 0 && applied < planned, `${applied} of ${planned} items are applied`);
      await button("Resume").click();
      await pace("as configured", { "Items in one batch": "50", "Wait between batches": "0" });
      await decide("e2e: go on", "Resume run");
    },

    "it ends, with what it left behind": async () => {
      await page.getByText("finished, 1 left").waitFor({ timeout: 60_000 });
      run = await runOf(shown(page));
      must(run.plan === plan.id, "the run is of another plan");
      must(run.tally.quarantined === 1, `${run.tally.quarantined} rows are in quarantine`);
      must(run.tally.skipped === 5, `${run.tally.skipped} rows wait in quarantine since an earlier run`);
      must(run.tally.applied >= 290, `${run.tally.applied} rows were applied`);
      await panel("Outcome").getByText(`${run.tally.applied} applied`).waitFor();
      must(
        (await rows("Items that were left behind", "quarantined").count()) > 0,
        "the page lists nothing left behind",
      );
      const events = (await ask(`/runs/${run.id}`)).body.events;
      must(events.length > 1, "the run has no events");
      await panel("Events").getByText(events[0].kind, { exact: true }).first().waitFor();
    },

    "a row in quarantine is repaired, tried and replayed into its run": async () => {
      const { body } = await ask(`/quarantine?run=${run.id}`);
      const item = body.items.find(lacksTitle);
      must(item, `no item lacks a title: ${JSON.stringify(body.items.map((one) => one.reason))}`);
      const record = repaired(item, "Hearing on the tides");
      await go(`/runs/${run.id}`);
      await page.getByRole("link", { name: "Repair in quarantine" }).click();
      await heading("Quarantine").waitFor();
      await rows("Quarantined items", item.label).first().getByRole("link", { name: item.label }).click();
      await page.getByText(item.reason.split("\n")[0]).first().waitFor();
      await button("Validate").click();
      await page.getByText("It would be refused again").waitFor(PATIENCE);
      const text = page.getByRole("textbox", { name: "Source record" });
      await text.fill("{ no JSON");
      must(await button("Keep repair").isDisabled(), "a text that is no JSON can be kept");
      await text.fill(JSON.stringify(record, null, 2));
      await button("Keep repair").click();
      await decide("the committee's page has it", "Keep record");
      await page.getByText("repaired", { exact: true }).waitFor(PATIENCE);
      must((await text.inputValue()) === JSON.stringify(record, null, 2), "the repair is not shown");
      await button("Validate").click();
      await page.getByText("It would be taken").waitFor(PATIENCE);
      const tried = (await ask(`/quarantine/${item.id}/validate`, { reason: "e2e" })).body;
      await button("Replay").click();
      await decide("repaired", "Replay");
      await page.getByText("replayed").first().waitFor(PATIENCE);
      const after = (await ask(`/quarantine/${item.id}`)).body;
      replayed = tried.changes.find((one) => one.table === "hearings").key;
      must(after.status === "replayed", `the item is ${after.status}`);
      const now = await runOf(run.id);
      must(now.tally.applied === run.tally.applied + 1, `${now.tally.applied} rows are applied now`);
      must(now.tally.quarantined === 0, `${now.tally.quarantined} rows are in quarantine now`);
      run = now;
    },

    "the replayed row has its history": async () => {
      const { items } = (await ask("/systems/hearings/history?table=hearings&key=282")).body;
      must(Array.isArray(items), "the history of a row is no list");
      await go("/history");
      await choose(page.getByRole("combobox", { name: "System" }), "hearings");
      await choose(page.getByRole("combobox", { name: "Table" }), "hearings");
      await page.getByRole("textbox", { name: "Key" }).fill(replayed);
      await button("Show history").click();
      await panel("Versions").getByText("Hearing on the tides").first().waitFor(PATIENCE);
      await panel("Versions")
        .getByRole("link", { name: run.id.slice(0, 12) })
        .first()
        .waitFor();
    },

    "the run with the replayed row is undone": async () => {
      await go(`/runs/${run.id}`);
      const { back } = await undo(hand, run, "e2e: taken back");
      must(back.tally.applied === run.tally.applied, `${back.tally.applied} of ${run.tally.applied} items went back`);
    },
  };
};

const lacksTitle = (item) => item.record?.committeeMeeting && item.reason.includes("committeeMeeting.title");

/** The record of an item with the title that it lacks. */
function repaired(item, title) {
  return { ...item.record, committeeMeeting: { ...item.record.committeeMeeting, title } };
}
