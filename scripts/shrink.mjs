// The text of the bundles: as small as may be, or with its names.
import { readFileSync, writeFileSync } from "node:fs";
import { minify } from "@swc/core";
import { transform } from "esbuild";

/** How a file is written whose names stay, for messages of errors and profiles. */
const NAMED = { minifyWhitespace: true, minifySyntax: true };

/** How one is written without them that every start from a model reads: a model loads in 0.94 to 0.96 of the time that swc's text takes. */
const SHORT = { minify: true };

/**
 * How one is written that nobody reads: a fiftieth smaller than by esbuild, a twentieth where it is compressed. Functions become arrows, as no code
 * looks at a function's prototype.
 */
const COMPRESS = { ecma: 2022, passes: 3, unsafe_arrows: true };
const SMALL = { module: true, compress: COMPRESS, mangle: true, format: { comments: false } };

/**
 * Makes a file smaller. One that is `short` is so by esbuild. One that is `named` keeps its names, and one of `rooms` the rooms and names of its sources, too. Comments are in the types:
 * bundling moves them away from what they are about.
 */
export async function shrink(file, style) {
  // Files that are imported for nothing but their order: no file does anything by itself, and users' bundlers would follow them.
  const text = readFileSync(file, "utf8").replace(/^import "\.\/chunk-\w+\.js";\n/gm, "");
  writeFileSync(file, style === "small" ? shorter((await minify(text, SMALL)).code) : await read(text, style));
}

/** `void 0`, which no source has in a text, as a variable that nobody sets: four bytes less a time, and there are thousands. Not in programs. */
function shorter(code) {
  const name = ["$0", "$1", "$2", "$3"].find((each) => !code.includes(each));
  if (name === undefined || code.startsWith("#") || !code.includes("void 0")) return code;
  return `var ${name};${code.replace(/\bvoid 0\b/g, () => name)}`;
}

async function read(text, style) {
  // a comment that stays is a legal one
  const told = text.replace(/^\/\/ bindings\/(\w+\/)?(?:.*\/)?(\w+)\.ts$/gm, style === "rooms" ? "//! $1$2" : "");
  const how = style === "short" ? SHORT : NAMED;
  const { code } = await transform(told, { ...how, format: "esm", target: "es2022", legalComments: "inline" });
  return code.replace(/\/\/! (\w+\/\w+)$/gm, "\n// $1").trimStart();
}

/**
 * Imports of Node's own modules, by names that are put together, say again that bundlers leave them alone: making text small takes that
 * comment out, and Turbopack refuses a page whose import it can't resolve; Vite, also inside of Angular's server, warns of it.
 */
export function keepBuiltinsOut(file) {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replaceAll("import(`node:", "import(/* @vite-ignore */ /* webpackIgnore: true */`node:"));
}
