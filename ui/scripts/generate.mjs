// Writes the types of the API, `src/api/generated.ts`, from the committed document of the server. Does nothing when they
// were made from this very document, with this very tool, by this very script: the file's first line says of what it is.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const at = (path) => new URL(path, import.meta.url);
const document = at("../../docs/reference/openapi.json");
const tool = at("../node_modules/openapi-typescript/package.json");
const output = at("../src/api/generated.ts");

const digest = createHash("sha256");
for (const source of [document, tool, at(import.meta.url)]) digest.update(readFileSync(source)).update("\0");
const mark = `// Of ${digest.digest("hex")}; made by scripts/generate.mjs, never edited.\n`;

if (!existsSync(output) || !readFileSync(output, "utf8").startsWith(mark)) {
  // Loading the tool takes most of the time, so it is not loaded for nothing.
  const { default: openapi, astToString } = await import("openapi-typescript");
  const types = await openapi(document, {
    // An object that is not described may hold anything, rather than nothing.
    emptyObjectsUnknown: true,
    // A member with a default may be left out of a body.
    defaultNonNullable: false,
  });
  writeFileSync(output, mark + astToString(types));
  console.log("the API's types are made anew");
}
