// A trace of the coding agent: found by its project, opened, read exchange by exchange, part by part, error by error.
import { ask, must } from "../browser.mjs";
import { PATIENCE } from "../hand.mjs";

/** Rows of a view as objects, in whichever of its two forms it answers. */
export async function view(name, query = "limit=1000") {
  const { status, body } = await ask(`/views/opencode/${name}?${query}`);
  must(status === 200, `the view ${name} answered ${status}`);
  const columns = (body.columns ?? []).map((one) => one.name ?? one);
  return body.rows.map((row) =>
    Array.isArray(row) ? Object.fromEntries(row.map((value, at) => [columns[at], value])) : row,
  );
}

export const steps = ({ page, go, heading, panel, rows, choose }) => {
  let session;
  return {
    "sessions are filtered by their project": async () => {
      const all = await view("sessions");
      session = all.find((one) => Number(one.errors) > 0 && Number(one.tool_calls) > 0);
      must(session, "the demo has no session with tools and errors");
      await go("/sessions");
      await choose(page.getByRole("combobox", { name: "Project" }), session.root_path);
      const own = await view("sessions", `limit=1000&project=${encodeURIComponent(session.root_path)}`);
      must(own.length < all.length, "the filter leaves nothing out");
      await page.getByText(`${own.length} session${own.length === 1 ? "" : "s"}`, { exact: true }).waitFor(PATIENCE);
      must(page.url().includes("project="), `the address is ${page.url()}`);
    },

    "one is opened, and an exchange shows its tools on a line of time": async () => {
      await page.getByRole("textbox", { name: "Find in titles and paths" }).fill(session.title);
      await rows("Sessions", session.title).first().getByRole("link").click();
      await heading(session.title).waitFor(PATIENCE);
      const events = await view("session-timeline", `limit=1000&session=${session.session_id}`);
      const tool = events.find((one) => one.event_type === "tool");
      must(tool, "the trace has no tool");
      const trace = page.getByLabel("Exchanges on a line of time");
      await trace.waitFor(PATIENCE);
      const exchange = trace
        .getByRole("button")
        .nth(
          [...new Set(events.map((one) => Number(one.exchange_number)))]
            .sort((a, b) => a - b)
            .indexOf(Number(tool.exchange_number)),
        );
      if ((await exchange.getAttribute("aria-expanded")) === "true") await exchange.click();
      must((await exchange.getAttribute("aria-expanded")) === "false", "an exchange does not close");
      await exchange.click();
      must((await exchange.getAttribute("aria-expanded")) === "true", "an exchange does not open");
      await trace.getByText(tool.name, { exact: true }).first().waitFor();
    },

    "its tools, its transcript and its errors": async () => {
      await page.getByRole("tab", { name: "Tools" }).click();
      const [tool] = await view("tool-performance", `session=${session.session_id}`);
      await rows("Tools", tool.tool_name).first().waitFor(PATIENCE);
      await page.getByRole("tab", { name: "Transcript" }).click();
      const parts = await view("transcript", `limit=1000&session=${session.session_id}`);
      await panel("Transcript").getByText(`${parts.length} parts`).waitFor(PATIENCE);
      const said = parts
        .find((one) => one.text)
        ?.text.trim()
        .split("\n")[0];
      await page.getByLabel("Transcript").getByText(said.slice(0, 60)).first().waitFor();
      await page.getByRole("tab", { name: "Errors" }).click();
      const errors = await view("error-list", `session=${session.session_id}`);
      must(errors.length > 0, "the view of errors is empty for a session with errors");
      const table = page.getByRole("table", { name: "Errors" });
      await table.waitFor(PATIENCE);
      must(Number(await table.getAttribute("aria-rowcount")) === errors.length + 1, "the page leaves errors out");
      must(page.url().includes("tab=errors"), `the address is ${page.url()}`);
    },
  };
};
