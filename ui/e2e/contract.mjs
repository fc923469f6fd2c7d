// Holds what the app asks for against the API's own description: a request that the description does not have is a fault of
// one of them.
import { ask, target } from "./browser.mjs";

const BASE = "/api/v1";

/** Watches a page; answers with what was asked outside of the description. */
export async function contract(page) {
  const { paths } = (await ask("/openapi.json")).body;
  const routes = Object.entries(paths).map(([template, methods]) => ({
    methods: Object.keys(methods).map((method) => method.toUpperCase()),
    holds: new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{[^}]+\}/g, "[^/]+")}$`),
  }));
  const strange = new Set();
  let asked = 0;
  page.on("request", (request) => {
    const { origin, pathname } = new URL(request.url());
    if (origin !== new URL(target).origin || !pathname.startsWith(BASE)) return;
    asked += 1;
    const known = routes.some((route) => route.methods.includes(request.method()) && route.holds.test(pathname));
    if (!known) strange.add(`${request.method()} ${pathname}`);
  });
  return { strange: () => [...strange], asked: () => asked };
}
