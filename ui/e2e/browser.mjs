// A browser over the app: the distribution's Chromium, with every complaint of a page kept; and the same server asked directly.
// `cargo xtask browser` starts the server, with users and demo data, and says in the environment where it is.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** What the browser itself says about an answer that is not 2xx is no fault of the app: not every server has every route. */
const EXPECTED = /Failed to load resource|EventSource's response has a MIME type/;

export async function open({ scheme = "light", width = 1360, height = 860 } = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Shared memory is small in containers.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, bypassCSP: false });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !EXPECTED.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { browser, context, page, complaints };
}

export const target = process.env.PLIMSOLL_URL;
if (!target) throw new Error("PLIMSOLL_URL names no server; `cargo xtask browser` starts one and this with it");
/** Screenshots; git ignores the folder. */
export const out = new URL("./out", import.meta.url).pathname;
mkdirSync(out, { recursive: true });

/** Asks the server as a program does, with a token that may everything. */
export async function ask(route, body, method = body === undefined ? "GET" : "POST") {
  const answer = await fetch(`${target}/api/v1${route}`, {
    method,
    headers: { authorization: `Bearer ${process.env.PLIMSOLL_TOKEN}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json().catch(() => null) };
}

/** Logs in at the form, as somebody of the demo. */
export async function logIn(page, name = "demo-admin", path = "/") {
  await page.goto(target + path);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel(/^Password/).fill(process.env.PLIMSOLL_PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log in" }).waitFor({ state: "hidden" });
  await settled(page);
}

export function must(holds, what) {
  if (!holds) throw new Error(what);
}

/** What axe-core finds serious or critical. Evaluated through the debugger, so the page's own policy stays as it is. */
export async function axe(page) {
  await page.evaluate(`(() => { ${AXE} })()`);
  return page.evaluate(async () => {
    const found = await window.axe.run(document, { resultTypes: ["violations"] });
    return found.violations
      .filter((one) => one.impact === "serious" || one.impact === "critical")
      .map(
        (one) =>
          `${one.id} (${one.impact}): ${one.nodes
            .slice(0, 3)
            .map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`)
            .join(" | ")}`,
      );
  });
}

/** Waits until nothing loads any more. */
export async function settled(page) {
  await page.waitForSelector("h1", { timeout: 15_000 });
  await page
    .waitForFunction(() => !document.querySelector("[role=status][aria-label=Loading]"), undefined, { timeout: 15_000 })
    .catch(() => {});
  await page.waitForTimeout(250);
}
