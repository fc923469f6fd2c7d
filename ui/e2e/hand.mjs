// What every flow does with a page: going to an address, deciding in the dialog that changes something, reading tables.
import { settled, target } from "./browser.mjs";

/** A mark of this run, so that a second run on the same data makes names of its own. */
export const stamp = Date.now().toString(36);
/** Texts that would be elements, or run, if anything read them as HTML. */
export const IMAGE = `<img src=x onerror=alert("${stamp}")>`;
export const SCRIPT = `"><script>alert("${stamp}")</script>`;

/** How long a change of the server may take until the page tells of it, on a busy machine. */
export const PATIENCE = { timeout: 30_000 };

export function handOf(page) {
  const hand = {
    page,

    async go(path) {
      await page.goto(target + path);
      await settled(page);
    },

    heading: (name, level = 1) => page.getByRole("heading", { name, level }),

    button: (name) => page.getByRole("button", { name, exact: true }),

    panel: (name) => page.getByRole("region", { name, exact: true }),

    dialog: () => page.getByRole("dialog"),

    /** Rows of a table that hold a text. */
    rows: (table, text) =>
      page.getByRole("table", { name: table, exact: true }).getByRole("row").filter({ hasText: text }),

    /** Chooses in a list that opens under its field. */
    async choose(field, option) {
      await field.click();
      await page.getByRole("option", { name: option, exact: true }).click();
    },

    /** Does what the open dialog is for. A preview has just moved the button: a press that came to nothing is made again. */
    async confirm(name) {
      const dialog = hand.dialog();
      const button = dialog.getByRole("button", { name, exact: true });
      await button.click();
      await page.waitForTimeout(200);
      // A button that is gone, or that cannot be pressed while the server works, waits for nobody.
      const waits = await button.isEnabled({ timeout: 500 }).catch(() => false);
      // What the server refused is told in the dialog, and asking again would change nothing.
      if (waits && !(await dialog.getByRole("alert").isVisible()))
        await button.click({ timeout: 2_000 }).catch(() => {});
    },

    /** Gives the reason in the open dialog, looks at what would happen, and does what the dialog is for. */
    async decide(reason, button, { preview = false } = {}) {
      const dialog = hand.dialog();
      await dialog.getByLabel("Reason").fill(reason);
      let told = "";
      if (preview) {
        await dialog.getByRole("button", { name: "Preview" }).click();
        const status = dialog.getByRole("status", { name: "What would happen" });
        await status.waitFor(PATIENCE);
        told = await status.textContent();
      }
      await hand.confirm(button);
      await dialog.waitFor({ state: "hidden", ...PATIENCE });
      await hand.dismiss();
      return told;
    },

    /** Closes what was told of earlier changes: it lies over the page for a while. */
    async dismiss() {
      const told = page.locator(".mantine-Notification-root").getByRole("button", { name: "Close this" });
      while ((await told.count()) > 0) {
        await told
          .first()
          .click({ timeout: 1_000 })
          .catch(() => {});
      }
    },

    /** Closes the open dialog without doing anything. */
    async close() {
      const dialog = hand.dialog();
      await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
      await dialog.waitFor({ state: "hidden" });
    },
  };
  return hand;
}

/** Asks until an answer is as wanted; what a server does in the background takes its time. */
export async function until(asks, holds, what, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await asks();
    if (holds(answer)) return answer;
    if (Date.now() > end) throw new Error(`${what}; the last answer is ${JSON.stringify(answer)?.slice(0, 600)}`);
    await new Promise((done) => setTimeout(done, 300));
  }
}
