// Serves `dist` under the policy of the real server, and passes everything else on to a server that was built without the app.
// Owns nothing that the product relies on: once the binary embeds the app, PLIMSOLL_APP names it and this is not used.
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer, request } from "node:http";
import { extname, join, normalize } from "node:path";

const KINDS = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".json": "application/json",
};
const PROGRAMS = ["/api/", "/ofrep/", "/metrics", "/healthz"];

function policy(nonce) {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Starts it; answers with its address and how to stop it. */
export async function serve(folder, target) {
  const { host, hostname, port } = new URL(target);
  const server = createServer((asked, answer) => {
    const path = new URL(asked.url, "http://here").pathname;
    if (PROGRAMS.some((prefix) => path.startsWith(prefix))) {
      const headers = { ...asked.headers, host };
      delete headers.origin;
      delete headers.referer;
      for (const name of Object.keys(headers)) if (name.startsWith("sec-")) delete headers[name];
      const passed = request({ hostname, port, path: asked.url, method: asked.method, headers }, (from) => {
        answer.writeHead(from.statusCode, from.headers);
        // A stream of events is open before its first event.
        answer.flushHeaders();
        from.pipe(answer);
      });
      passed.on("error", () => answer.writeHead(502).end());
      answer.on("close", () => passed.destroy());
      asked.pipe(passed);
      return;
    }
    const file = join(folder, normalize(path));
    if (path !== "/" && file.startsWith(folder) && existsSync(file) && statSync(file).isFile()) {
      answer.writeHead(200, { "content-type": KINDS[extname(file)] ?? "application/octet-stream" });
      createReadStream(file).pipe(answer);
      return;
    }
    const nonce = Math.random().toString(36).slice(2);
    const page = readFileSync(join(folder, "index.html"), "utf8").replaceAll("PLIMSOLL_CSP_NONCE", nonce);
    answer
      .writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy(nonce) })
      .end(page);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { address: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}
