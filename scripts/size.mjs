// The size of every wasm file and of pint8/runtime with its wasm, raw and by brotli, against the project's limits.
// Ends with status 1 where one is over its limit.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";
import { buildWasm } from "./build.mjs";
import { filesIn, ROOT } from "./files.mjs";

/** Limits in bytes. */
const LIMITS = {
  "simd.wasm": { raw: 52_838, brotli: 13_855 },
  "simd.full.wasm": { raw: 128 * 1024, brotli: 44 * 1024 },
  "pint8/runtime": { brotli: 24 * 1024 },
  "ONNX importer": { brotli: 25 * 1024 },
};

const brotli = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
const sizes = (bytes) => ({ raw: bytes.length, brotli: brotli(bytes) });

/** What is fetched when threads, or audio and poses, are asked for, as scripts of their own. */
const THREADS = /\/(audio|poses|threads)\.ts$/;

/** The script of an entry point as an application's bundler would make it, but for the files whose path matches `without`. */
async function bundleOf(entry, without, isApart = true) {
  const stub = {
    name: "stub",
    setup({ onLoad, onResolve }) {
      if (without) onLoad({ filter: without }, () => ({ contents: "module.exports = {};", loader: "js" }));
      if (isApart)
        onResolve({ filter: THREADS }, ({ path, kind }) =>
          kind === "dynamic-import" ? { path, external: true } : undefined,
        );
    },
  };
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    external: ["node:*"],
    write: false,
    logLevel: "error",
    plugins: [stub],
  });
  return outputFiles[0].contents;
}

buildWasm();
const rows = filesIn("wasm", ".wasm")
  .filter((name) => !name.endsWith(".debug.wasm"))
  .map((name) => [basename(name), sizes(readFileSync(join(ROOT, name)))]);
const bundle = sizes(await bundleOf("bindings/public/runtime.ts"));
const threaded = sizes(await bundleOf("bindings/public/runtime.ts", undefined, false));
const simd = rows.find(([name]) => name === "simd.wasm")?.[1];
if (simd === undefined) throw new Error("wasm/simd.wasm is missing");
// All of the package's page, without what few .onnx files need, and without their importer.
const [all, ordinary, none] = await Promise.all(
  [undefined, /[\\/]onnx[\\/]rare\.ts$/, /bindings[\\/]formats[\\/]onnx[\\/]|[\\/]pbf[\\/]/].map(async (without) =>
    sizes(await bundleOf("bindings/public/index.ts", without)),
  ),
);
const less = (a, b) => ({ raw: a.raw - b.raw, brotli: a.brotli - b.brotli });
rows.push(["ONNX importer", less(ordinary, none)]);
rows.push(["its rarer part", less(all, ordinary)]);
rows.push(["its threads", { raw: threaded.raw - bundle.raw, brotli: threaded.brotli - bundle.brotli }]);
rows.push(["pint8/runtime", { raw: bundle.raw + simd.raw, brotli: bundle.brotli + simd.brotli }]);

let over = 0;
for (const [name, size] of rows) {
  const notes = Object.entries(LIMITS[name] ?? {}).map(([kind, limit]) => {
    if (size[kind] <= limit) return `${kind} within ${limit}`;
    over++;
    return `${kind} OVER its limit of ${limit}`;
  });
  const [raw, compressed] = [size.raw, size.brotli].map((bytes) => `${bytes}`.padStart(8));
  console.log(`${name.padEnd(22)} ${raw} raw ${compressed} brotli  ${notes.join(", ")}`.trimEnd());
}
process.exitCode = over === 0 ? 0 : 1;
