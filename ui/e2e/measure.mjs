// `cargo xtask bench web`: how soon the overview and the heaviest dashboard are seen and whole, what the first load weighs, and
// how long routes take under a hundred clients. Figures are medians of several first visits, each with an empty cache.
import { Agent, request } from "node:http";
import { ask, logIn, open, settled, target } from "./browser.mjs";

const VISITS = Number(process.env.PLIMSOLL_BENCH_VISITS ?? 7);
const SECONDS = Number(process.env.PLIMSOLL_BENCH_SECONDS ?? 20);
const CLIENTS = 100;
/** What the app's pages ask most. */
const ROUTES = [
  "/overview",
  "/systems",
  "/runs?limit=12",
  "/plans?limit=100",
  "/quarantine?limit=1",
  "/flags?limit=200",
  "/systems/pfa/records?limit=100",
  "/gauge-sets?limit=50",
  "/views/opencode/sessions?limit=100",
  "/views/opencode/cost-by-model",
];

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const at = (all, share) => all[Math.min(all.length - 1, Math.round((all.length - 1) * share))];
const ms = (value) => `${value.toFixed(0)} ms`.padStart(8);

/** The dashboard with the most panels. */
async function heaviest() {
  const { body } = await ask("/dashboards");
  const panels = async ({ dashboard }) =>
    (await ask(`/dashboards/${dashboard}`)).body.row.reduce((sum, row) => sum + row.panel.length, 0);
  const counted = await Promise.all(body.items.map(async (one) => [one.dashboard, await panels(one)]));
  return counted.sort((a, b) => b[1] - a[1])[0];
}

/** One first visit: nothing cached, only the session's cookie. */
async function visit(browser, cookies, path) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 } });
  await context.addCookies(cookies);
  const page = await context.newPage();
  await page.goto(target + path, { waitUntil: "commit" });
  await page.waitForSelector("h1");
  await page.waitForFunction(
    () => !document.querySelector("[role=status][aria-label=Loading]") && document.querySelector(".panel"),
    undefined,
    { polling: "raf" },
  );
  const seen = await page.evaluate(() => {
    const whole = performance.now();
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const app = files.filter((one) => !new URL(one.name).pathname.startsWith("/api/"));
    return { first: paint.startTime, whole, bytes: app.reduce((sum, one) => sum + one.transferSize, 0) };
  });
  await context.close();
  return seen;
}

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
function timed(route) {
  const began = performance.now();
  return new Promise((done) => {
    const asked = request(
      `${target}/api/v1${route}`,
      { agent, headers: { authorization: `Bearer ${process.env.PLIMSOLL_TOKEN}` } },
      (answer) => {
        answer.resume();
        answer.on("end", () => done({ took: performance.now() - began, status: answer.statusCode }));
      },
    );
    asked.on("error", () => done({ took: performance.now() - began, status: 0 }));
    asked.end();
  });
}

async function load(pause) {
  const took = new Map(ROUTES.map((route) => [route, []]));
  const until = performance.now() + SECONDS * 1000;
  let errors = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      await new Promise((go) => setTimeout(go, (client * pause) / CLIENTS));
      for (let turn = client; performance.now() < until; turn += 1) {
        const route = ROUTES[turn % ROUTES.length];
        const answer = await timed(route);
        if (answer.status !== 200) errors += 1;
        took.get(route).push(answer.took);
        if (pause > 0) await new Promise((go) => setTimeout(go, pause));
      }
    }),
  );
  const all = [...took.values()].flat().sort((a, b) => a - b);
  console.log(
    `API, ${CLIENTS} clients for ${SECONDS} s, ${pause > 0 ? "a request a second each" : "as fast as answered"}: ` +
      `${all.length} answers (${Math.round(all.length / SECONDS)}/s), ${errors} errors, p50 ${ms(at(all, 0.5))}  p99 ${ms(at(all, 0.99))}`,
  );
  for (const [route, times] of took) {
    times.sort((a, b) => a - b);
    if (times.length > 0) console.log(`  ${route.padEnd(40)} p50 ${ms(at(times, 0.5))}  p99 ${ms(at(times, 0.99))}`);
  }
  return errors;
}

const { browser, context, page } = await open();
await logIn(page);
await settled(page);
const cookies = await context.cookies();
const [dashboard, panels] = await heaviest();
const missed = [];
const hold = (what, value, aim) => value < aim || missed.push(`${what}: ${value.toFixed(0)}, aim is under ${aim}`);
for (const [name, path] of [
  ["overview", "/"],
  [`dashboard ${dashboard} (${panels} panels)`, `/dashboards/${dashboard}`],
  ["records of pfa", "/records/pfa"],
]) {
  const visits = [];
  for (let round = 0; round < VISITS; round += 1) visits.push(await visit(browser, cookies, path));
  const first = median(visits.map((one) => one.first));
  const whole = median(visits.map((one) => one.whole));
  const kilobytes = median(visits.map((one) => one.bytes)) / 1000;
  console.log(
    `${name.padEnd(42)} first view ${ms(first)}  whole ${ms(whole)}  ${kilobytes.toFixed(0)} kB over the network`,
  );
  hold(`${name}, first view (ms)`, first, 1000);
  hold(`${name}, whole (ms)`, whole, 2000);
  hold(`${name}, first load (kB)`, kilobytes, 600);
}
await browser.close();
const errors = (await load(1000)) + (await load(0));
for (const one of missed) console.log(`MISSED  ${one}`);
console.log(
  errors === 0 && missed.length === 0 ? "measure: ok" : `measure: ${missed.length} aims missed, ${errors} errors`,
);
process.exit(errors === 0 ? 0 : 1);
