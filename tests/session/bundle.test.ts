/** What `pint8/runtime` and `pint8` are once they are bundled. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build, type Plugin } from "esbuild";

const path = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

/** Leaves what is imported at run time to a script of its own. */
const APART: Plugin = {
  name: "apart",
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, ({ path: to, kind }) =>
      kind === "dynamic-import" ? { path: to, external: true } : undefined,
    ),
};

async function bundle(entry: string, ...plugins: Plugin[]) {
  const result = await build({
    plugins,
    entryPoints: [path(entry)],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
  });
  const text = result.outputFiles[0]?.text ?? "";
  return { text, inputs: Object.keys(result.metafile.inputs) };
}

for (const entry of ["bindings/public/runtime.ts", "bindings/public/index.ts"])
  describe(entry, () => {
    test("bundles for browsers and evaluates no text", async () => {
      const { text } = await bundle(entry);
      assert.doesNotMatch(text, /\beval\s*\(|new Function\b/);
    });

    test("does nothing when it is imported", async () => {
      const { text } = await bundle(entry);
      // Node keeps state of its own under symbols, which any import may add.
      const globals = () => Object.entries(Object.getOwnPropertyDescriptors(globalThis));
      const before = globals();
      const touched: PropertyKey[] = [];
      const instantiate = WebAssembly.instantiate;
      const compile = WebAssembly.compile;
      const touch = (name: string) => () => {
        touched.push(name);
        throw new Error(name);
      };
      try {
        Object.assign(WebAssembly, { instantiate: touch("instantiate"), compile: touch("compile") });
        await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
      } finally {
        Object.assign(WebAssembly, { instantiate, compile });
      }
      assert.deepEqual(touched, []);
      assert.deepEqual(globals(), before);
    });
  });

test("pint8/runtime with simd.wasm is within 24 KB of brotli, without importers, operators, passes and threads", async () => {
  const { text, inputs } = await bundle("bindings/public/runtime.ts", APART);
  for (const input of inputs) assert.doesNotMatch(input, /bindings\/(formats|ops|passes|graph|session\/threads\.ts)/);
  const wasm = brotliCompressSync(readFileSync(path("wasm/simd.wasm"))).length;
  const bytes = brotliCompressSync(text).length + wasm;
  assert.ok(bytes <= 24 * 1024, `${bytes} bytes`);
});

test("what loads a .tflite model has no importer of .onnx files in it, which is a script of its own", async () => {
  const result = await build({
    stdin: {
      contents: 'import { loadModel } from "./bindings/public/index.ts"; loadModel("m");',
      resolveDir: path(""),
    },
    bundle: true,
    minify: true,
    splitting: true,
    outdir: "out",
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    absWorkingDir: path(""),
    // As the package says of its own files.
    plugins: [
      {
        name: "pure",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path: to, resolveDir }) => ({
            path: join(resolveDir, to),
            sideEffects: false,
          })),
      },
    ],
  });
  const { outputs } = result.metafile;
  const first = new Set<string>();
  const visit = (name: string): void => {
    if (first.has(name)) return;
    first.add(name);
    for (const { path: to, kind } of outputs[name]?.imports ?? []) if (kind === "import-statement") visit(to);
  };
  visit("out/stdin.js");
  const inputs = [...first].flatMap((name) => Object.keys(outputs[name]?.inputs ?? {}));
  assert.deepEqual(
    inputs.filter((name) => name.includes("/onnx/")),
    ["bindings/formats/onnx/recognise.ts"],
  );
  assert.ok(
    Object.keys(outputs).some((name) => Object.hasOwn(outputs[name]?.inputs ?? {}, "bindings/formats/onnx/proto.ts")),
  );
  const bytes = [...first].reduce((sum, name) => sum + (outputs[name]?.bytes ?? 0), 0);
  assert.ok(bytes < 400_000, `${bytes} bytes`);
});
