// How the package is bundled: which entries, which scripts of their own, what comes along, and the notices of that.
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { build, transform } from "esbuild";
import { filesIn, ROOT } from "./files.mjs";

const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** Entry points by the names of their bundles; those that are not written yet are left out. */
export const ENTRIES = Object.fromEntries(
  ["index", "runtime", "kernels", "compile", "optimize", "inline", "worker", "cli"]
    .filter((name) => existsSync(join(ROOT, `bindings/public/${name}.ts`)))
    .map((name) => [name === "worker" ? "remote" : name, `bindings/public/${name}.ts`]),
);

/** Scripts that are loaded by their names, beside the bundles, and what shall stay whole: each in one file that imports nothing. */
const SCRIPTS = { worker: "bindings/session/worker.ts", service: "bindings/remote/service.ts" };

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
  metafile: true,
};

/** The wasm files in `pint8/inline`: deflated, in base64. */
const INLINED = {
  name: "inlined",
  setup({ onLoad }) {
    onLoad({ filter: /\.wasm$/ }, ({ path }) => ({
      contents: deflateRawSync(readFileSync(path), { level: 9 }).toString("base64"),
      loader: "text",
    }));
  },
};

/** Libraries in CommonJS ask for Node's modules by `require`, which ES modules have not. */
const BUILTINS = {
  name: "builtins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "require-call" ? { path, namespace: "builtin" } : undefined,
    );
    onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `import all from "${path}"; export * from "${path}"; export default all;`,
    }));
  },
};

/** Writes dist/lib: bundles, scripts, the decoder's wasm and the notices. */
export async function bundle() {
  const points = (files) => Object.entries(files).map(([out, path]) => ({ in: path, out }));
  const results = await Promise.all([
    build({ ...COMMON, entryPoints: points(ENTRIES), splitting: true, plugins: [BUILTINS, INLINED] }),
    build({ ...COMMON, minify: true, entryPoints: points(SCRIPTS) }),
  ]);
  // Nobody bundles the program: it need not be read.
  const program = join(ROOT, "dist/lib/cli.js");
  const { code } = await transform(readFileSync(program, "utf8"), {
    minifyWhitespace: true,
    format: "esm",
    target: "es2022",
  });
  writeFileSync(program, code);
  copyFileSync(join(ROOT, "node_modules/@cwasm/jpeg-turbo/jpeg-turbo.wasm"), join(ROOT, "dist/lib/jpeg-turbo.wasm"));
  writeNotices(
    results.flatMap(({ metafile }) => Object.keys(metafile.inputs)).concat("node_modules/@cwasm/jpeg-turbo/x"),
  );
}

/** dist/NOTICES.md: name, version and license text of every library that is in a bundle. */
function writeNotices(inputs) {
  const names = new Set(
    inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path)?.[1]).filter(Boolean),
  );
  const notices = [...names].sort().map((name) => {
    const folder = join("node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
    const [file] = filesIn(folder, "").filter((path) => /^licen[cs]e(\.\w+)?$/i.test(path.slice(folder.length + 1)));
    const text = file === undefined ? `License: ${license}` : readFileSync(join(ROOT, file), "utf8").trim();
    return `## ${name} ${version}\n\n${text}\n`;
  });
  const head = "# What is in the bundles of pint8 besides pint8\n\n";
  writeFileSync(join(ROOT, "dist/NOTICES.md"), head + notices.join("\n"));
}

/** Removes the declarations that no entry point leads to. */
export function pruneTypes() {
  const kept = new Set();
  const visit = (file) => {
    if (kept.has(file) || !existsSync(file)) return;
    kept.add(file);
    for (const [, path] of readFileSync(file, "utf8").matchAll(/["'](\.{1,2}\/[^"']+)\.js["']/g))
      visit(join(dirname(file), `${path}.d.ts`));
  };
  for (const file of filesIn("dist/types/public", ".d.ts")) visit(join(ROOT, file));
  for (const file of filesIn("dist/types", ".d.ts")) if (!kept.has(join(ROOT, file))) rmSync(join(ROOT, file));
}

/** For programs in CommonJS: stubs that require the same ES modules, and the declarations once more, without their comments. */
export function writeCommonJs() {
  mkdirSync(join(ROOT, "dist/cjs"), { recursive: true });
  for (const name of Object.keys(ENTRIES).filter((entry) => entry !== "cli"))
    writeFileSync(join(ROOT, `dist/cjs/${name}.cjs`), `module.exports = require("../lib/${name}.js");\n`);
  cpSync(join(ROOT, "dist/types"), join(ROOT, "dist/cjs/types"), { recursive: true });
  for (const file of filesIn("dist/cjs/types", ".d.ts"))
    writeFileSync(
      join(ROOT, file),
      readFileSync(join(ROOT, file), "utf8").replace(/^[ \t]*\/\*\*.*?\*\/[ \t]*\n/gms, ""),
    );
  writeFileSync(join(ROOT, "dist/cjs/types/package.json"), '{ "type": "commonjs" }\n');
}
