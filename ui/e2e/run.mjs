// Drives the app over the real binary, as people would. The flows follow each other on the demo data of `cargo xtask browser`;
// words on the command line name those that are wanted.
import { must, open, out } from "./browser.mjs";
import { contract } from "./contract.mjs";
import { handOf } from "./hand.mjs";

/** In this order: what one leaves is there for the next. */
const FLOWS = [
  "access",
  "changes",
  "records",
  "flags",
  "playbooks",
  "pilot",
  "gauges",
  "sessions",
  "watch",
  "dashboards",
  "texts",
];

const wanted = process.argv.slice(2);
const { browser, page, complaints } = await open();
const hand = handOf(page);
const { strange, asked } = await contract(page);
let failed = 0;
for (const flow of FLOWS) {
  // Everybody has to log in first.
  if (wanted.length > 0 && !wanted.includes(flow) && flow !== "access") continue;
  const { steps } = await import(`./flows/${flow}.mjs`);
  console.log(flow);
  for (const [name, step] of Object.entries(steps(hand))) {
    complaints.length = 0;
    const began = Date.now();
    try {
      await step();
      must(complaints.length === 0, complaints.join("\n"));
      console.log(`ok    ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed += 1;
      await page.screenshot({ path: `${out}/failed-${failed}.png` });
      const why = String(error.message ?? error).split("\n");
      console.log(`FAIL  ${name}\n      ${why.slice(0, 40).join("\n      ")}\n      ${out}/failed-${failed}.png`);
      // Nobody else would see anything either.
      if (flow === "access" && (await page.getByRole("button", { name: "Log in" }).isVisible())) {
        console.log("e2e: nobody can log in");
        process.exit(1);
      }
      // What a step left open would stop the next one.
      await page.keyboard.press("Escape").catch(() => {});
    }
  }
}
await browser.close();
for (const request of strange()) {
  failed += 1;
  console.log(`FAIL  ${request} is not in the description of the API`);
}
console.log(`      ${asked()} requests, ${strange().length} outside of the API's description`);
console.log(failed === 0 ? "e2e: ok" : `e2e: ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
