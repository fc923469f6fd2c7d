// Leaves `.br` and `.gz` beside what was built, so that the server compresses nothing while it answers.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const KINDS = /\.(js|css|html|svg|json|txt|webmanifest)$/;
// The page is filled with a nonce when it is answered, so it cannot be compressed beforehand.
const PAGE = "index.html";

function* files(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

const folder = new URL("../dist", import.meta.url).pathname;
let plain = 0;
let small = 0;
for (const path of files(folder)) {
  if (!KINDS.test(path) || path.endsWith(PAGE)) continue;
  const data = readFileSync(path);
  const brotli = brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  writeFileSync(`${path}.br`, brotli);
  writeFileSync(`${path}.gz`, gzipSync(data, { level: 9 }));
  plain += data.length;
  small += brotli.length;
}
console.log(`compressed ${(plain / 1000).toFixed(0)} kB to ${(small / 1000).toFixed(0)} kB (brotli)`);
