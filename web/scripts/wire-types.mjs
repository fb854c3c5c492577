// Generates src/wire.d.ts from docs/events.schema.json, which the Rust types generate.
// `--check` writes nothing and fails where the kept file is stale.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const SCHEMA = new URL("../../docs/events.schema.json", import.meta.url);
const KEPT = new URL("../src/wire.d.ts", import.meta.url);

const BANNER = `/* Generated from docs/events.schema.json by \`npm run types\`. Do not edit. */`;

const schema = JSON.parse(await readFile(SCHEMA, "utf8"));
const generated = await compile(dropRefSiblings(schema), "Wire", {
  additionalProperties: false,
  bannerComment: BANNER,
  strictIndexSignatures: true,
  style: { printWidth: 100 },
});

if (process.argv.includes("--check")) {
  const kept = await readFile(KEPT, "utf8").catch(() => "");
  if (kept !== generated) {
    console.error("web/src/wire.d.ts is stale: run `npm run types` in web/ and keep the result.");
    process.exit(1);
  }
} else {
  await writeFile(KEPT, generated);
}

/** A `description` beside a `$ref` makes the generator emit a copy of the type per use. */
function dropRefSiblings(node) {
  if (Array.isArray(node)) return node.map(dropRefSiblings);
  if (node === null || typeof node !== "object") return node;
  if (typeof node.$ref === "string") return { $ref: node.$ref };
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, dropRefSiblings(value)]));
}
