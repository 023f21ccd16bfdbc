// The text of the bundles: as small as may be, or with its names.
import { readFileSync, writeFileSync } from "node:fs";
import { transform } from "esbuild";

/** How a file is written whose names stay, for messages of errors and profiles. */
const NAMED = { minifyWhitespace: true, minifySyntax: true };

/** Makes a file smaller. One that is `named` keeps its names. Comments are in the types: bundling moves them away from what they are about. */
export async function shrink(file, style) {
  // Files that are imported for nothing but their order: no file does anything by itself, and users' bundlers would follow them.
  const text = readFileSync(file, "utf8").replace(/^import "\.\/chunk-\w+\.js";\n/gm, "");
  const how = style === "named" ? NAMED : { minify: true };
  writeFileSync(file, (await transform(text, { ...how, format: "esm", target: "es2022" })).code);
}
