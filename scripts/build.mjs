// Builds what is missing or older than its sources: wasm/ from assembly/, dist/lib and dist/types from bindings/.
// `--wasm` stops after wasm/, `--force` builds everything.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { BUILDS, INLINED } from "./build-wasm.mjs";
import { bundle, ENTRIES } from "./bundle.mjs";
import { pruneTypes, writeCommonJs } from "./declarations.mjs";
import { filesIn, outdated, ROOT } from "./files.mjs";

/** The types of `pint8/wasm/*.wasm` where it is imported: a module, as workers for edges have it. */
const WASM_TYPES = 'declare const module: import("./primitives/modules.js").WasmModule;\nexport default module;\n';

function node(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(ROOT, script), ...args], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2], // standard output stays free for whoever asked for the build
  });
  if (status !== 0) throw new Error(`${script} failed with status ${status}`);
}

/** Compiles the kernels where needed. */
export function buildWasm(force = false) {
  const modules = [...BUILDS.map((name) => `wasm/${name}.wasm`), ...Object.values(INLINED)];
  const generated = /generated/;
  const sources = [
    ...filesIn("assembly", ".ts").filter((file) => !generated.test(file)),
    ...["asconfig.json", "scripts/build-wasm.mjs", "scripts/kernel-table.mjs"],
  ];
  if (!force && !outdated(modules, sources)) return;
  console.error("building wasm/ …");
  node("scripts/build-wasm.mjs");
}

/** Bundles the package and writes its declarations where needed. */
async function buildLibrary(force = false) {
  const targets = Object.entries(ENTRIES)
    .flatMap(([name, path]) => [`dist/lib/${name}.js`, path.replace("bindings", "dist/types").replace(".ts", ".d.ts")])
    .concat("dist/lib/worker.js", "dist/lib/service.js", "dist/cjs/index.cjs");
  const wasm = ["scalar.full", "simd.full", "relaxed.full", "simd.train"].map((name) => `wasm/${name}.wasm`);
  const sources = [
    ...filesIn("bindings", ".ts"),
    ...wasm,
    "package.json",
    "tsconfig.json",
    "scripts/build.mjs",
    "scripts/bundle.mjs",
    "scripts/libraries.mjs",
    "scripts/declarations.mjs",
    "scripts/notices.mjs",
  ];
  if (!force && !outdated(targets, sources)) return;
  console.error("building dist/ …");
  rmSync(join(ROOT, "dist"), { recursive: true, force: true });
  await bundle();
  node("node_modules/typescript/bin/tsc", "--project", "tsconfig.types.json");
  // tsc leaves the endings of imports as the sources have them, and indents by four blanks.
  for (const file of filesIn("dist/types", ".d.ts")) {
    const text = readFileSync(join(ROOT, file), "utf8");
    const rewritten = text
      .replace(/(["']\.{1,2}\/[^"']*)\.ts(["'])/g, "$1.js$2")
      .replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
    if (rewritten !== text) writeFileSync(join(ROOT, file), rewritten);
  }
  pruneTypes();
  writeFileSync(join(ROOT, "dist/types/wasm.d.ts"), WASM_TYPES);
  writeCommonJs();
}

/** Builds everything that is missing. */
export async function buildMissing(force = false) {
  buildWasm(force);
  await buildLibrary(force);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const force = process.argv.includes("--force");
  if (process.argv.includes("--wasm")) buildWasm(force);
  else await buildMissing(force);
}
