// Builds what is missing or older than its sources: wasm/ from assembly/, dist/lib and dist/types from bindings/.
// `--wasm` stops after wasm/, `--force` builds everything.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { BUILDS } from "./build-wasm.mjs";
import { filesIn, outdated, ROOT } from "./files.mjs";

const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** Entry points of the package; those that are not written yet are left out. */
const ENTRIES = ["index", "runtime", "kernels", "compile", "optimize", "cli"];

/** Scripts that are loaded by their names, beside the bundles: each in one file, without a bundle that it shares. */
const SCRIPTS = [{ in: "bindings/session/worker.ts", out: "worker" }];

/** What all bundles have in common. Users' bundlers make them small: here they are for reading, and names stay. */
const COMMON = {
  absWorkingDir: ROOT,
  outdir: "dist/lib",
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  mainFields: ["module", "main"],
  external: ["node:*", ...Object.keys({ ...dependencies, ...peerDependencies })],
  legalComments: "none",
  logLevel: "warning",
};

function node(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(ROOT, script), ...args], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2], // standard output stays free for whoever asked for the build
  });
  if (status !== 0) throw new Error(`${script} failed with status ${status}`);
}

/** Compiles the kernels where needed. */
export function buildWasm(force = false) {
  const modules = BUILDS.map((name) => `wasm/${name}.wasm`);
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
export async function buildLibrary(force = false) {
  const entries = ENTRIES.filter((name) => existsSync(join(ROOT, "bindings/public", `${name}.ts`)));
  const targets = entries
    .flatMap((name) => [`dist/lib/${name}.js`, `dist/types/public/${name}.d.ts`])
    .concat("dist/lib/worker.js");
  const sources = [...filesIn("bindings", ".ts"), "package.json", "tsconfig.json", "scripts/build.mjs"];
  if (!force && !outdated(targets, sources)) return;
  console.error("building dist/ …");
  rmSync(join(ROOT, "dist"), { recursive: true, force: true });
  const entryPoints = entries.map((name) => ({ in: `bindings/public/${name}.ts`, out: name }));
  await build({ ...COMMON, entryPoints, splitting: true });
  await build({ ...COMMON, entryPoints: SCRIPTS });
  node("node_modules/typescript/bin/tsc", "--project", "tsconfig.types.json");
  // tsc rewrites the endings of imports, not those of augmented modules.
  for (const file of filesIn("dist/types", ".d.ts")) {
    const text = readFileSync(join(ROOT, file), "utf8");
    const rewritten = text.replace(/(declare module "\.[^"]*)\.ts"/g, '$1.js"');
    if (rewritten !== text) writeFileSync(join(ROOT, file), rewritten);
  }
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
