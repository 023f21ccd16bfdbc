/** What `pint8/runtime` and `pint8` are once they are bundled. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

const path = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

async function bundle(entry: string) {
  const result = await build({
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

test("pint8/runtime with its largest module is within 40 KB of brotli, without importers, operators and passes", async () => {
  const { text, inputs } = await bundle("bindings/public/runtime.ts");
  for (const input of inputs) assert.doesNotMatch(input, /bindings\/(formats|ops|passes|graph)/);
  const wasm = ["simd", "relaxed"].map((name) => brotliCompressSync(readFileSync(path(`wasm/${name}.wasm`))).length);
  const bytes = brotliCompressSync(text).length + Math.max(...wasm);
  assert.ok(bytes <= 40 * 1024, `${bytes} bytes`);
});
