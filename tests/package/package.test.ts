/** The package as its users get it: entry points, declarations, files, and nothing done at import time. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });

/** Every string in a tree of objects and arrays. */
const leaves = (tree: unknown): readonly string[] =>
  typeof tree === "string" ? [tree] : Object.values(tree as object).flatMap(leaves);

before(() => node("scripts/build.mjs"));

test("every export, declaration and program of package.json is built", () => {
  const targets = Object.entries(manifest.exports)
    .filter(([name]) => !name.includes("*"))
    .flatMap(([, target]) => leaves(target));
  const fields = [manifest.main, manifest.module, manifest.types, ...leaves(manifest.typesVersions)];
  for (const target of [...targets, ...fields, ...Object.values<string>(manifest.bin)])
    assert.ok(existsSync(join(ROOT, target)), `${target} is missing`);
  for (const module of ["scalar", "simd", "relaxed"])
    assert.ok(existsSync(fileURLToPath(import.meta.resolve(`pint8/wasm/${module}.wasm`))), module);
});

for (const [where, types, lib] of [
  ["in pages", [], ["lib.es2022.d.ts", "lib.dom.d.ts"]],
  ["in Node", ["node"], ["lib.es2022.d.ts"]],
] as const)
  test(`the declarations of each entry point alone are whole ${where} under --strict, without skipLibCheck`, () => {
    const entries = ["index", "runtime", "worker", "inline", "kernels", "compile", "optimize"];
    for (const name of [...entries.map((each) => `public/${each}`), "wasm"]) {
      const options = { strict: true, noEmit: true, types: [...types], skipLibCheck: false, lib: [...lib] };
      const file = join(ROOT, `dist/types/${name}.d.ts`);
      const module = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
      const program = ts.createProgram([file], { ...options, ...module, target: ts.ScriptTarget.ES2022 });
      const said = program
        .getSourceFiles()
        .filter(({ fileName }) => fileName.startsWith(join(ROOT, "dist")))
        .flatMap((each) => [...program.getSyntacticDiagnostics(each), ...program.getSemanticDiagnostics(each)]);
      assert.deepEqual(
        said.map(({ messageText, file: at }) => [at?.fileName, messageText]),
        [],
        name,
      );
      const from = program.getSourceFiles().map(({ fileName }) => fileName);
      assert.ok(
        from.every((each) =>
          /\/dist\/(cjs\/)?types\/|\/typescript\/lib\/|node_modules\/(@types\/node|undici-types)\//.test(each),
        ),
        `${name}: ${from}`,
      );
    }
  });

test("the built package runs the digits model, from a model and from a plan", () => {
  const program = `
    import { importModel, loadModel, loadModule, planGraph, runPasses, writePlan } from "pint8";
    import { loadPlan } from "pint8/runtime";
    import { readFileSync } from "node:fs";
    const bytes = readFileSync("models/digits/digits_int8.tflite");
    const model = await loadModel("models/digits/digits_int8.tflite");
    const input = new Int8Array(784).map((_, i) => (i * 37) % 256 - 128);
    const scores = model.run([input])[model.outputs[0].name];
    const { name, hash } = await loadModule("auto");
    const plan = writePlan(planGraph(runPasses(importModel(bytes, {})), { module: name, moduleHash: hash }));
    const planned = await loadPlan(plan);
    const again = planned.run([input])[planned.outputs[0].name];
    model.close();
    planned.close();
    console.log(JSON.stringify([[...scores], [...again]]));`;
  const [scores, again] = JSON.parse(node("--input-type=module", "--eval", program));
  assert.equal(scores.length, 10);
  assert.ok(new Set(scores).size > 1);
  assert.deepEqual(again, scores);
});

test("the program says its version", () => {
  assert.equal(node(manifest.bin.pint8, "--version").trim(), manifest.version);
});

test("importing does nothing: no file, no memory, no module, no output", () => {
  const program = `
    const used = [];
    for (const [name, target] of Object.entries({ Memory: WebAssembly, Module: WebAssembly, compile: WebAssembly, instantiate: WebAssembly, fetch: globalThis }))
      target[name] = function () { used.push(name); throw new Error(name); };
    await import("pint8");
    await import("pint8/runtime");
    await import("pint8/kernels");
    await import("pint8/inline");
    await import("pint8/worker");
    console.log(JSON.stringify(used));`;
  assert.deepEqual(JSON.parse(node("--input-type=module", "--eval", program)), []);
});

test("nothing evaluates text as code", () => {
  const names = ["index", "runtime", "kernels", "inline", "remote", "service", "worker", "cli"];
  for (const name of names) {
    const text = readFileSync(join(ROOT, `dist/lib/${name}.js`), "utf8");
    assert.doesNotMatch(text, /\beval\s*\(|new Function\b/, name);
  }
});

test("imports by names that are put together tell bundlers to leave them alone", () => {
  const scripts = readdirSync(join(ROOT, "dist/lib")).filter((name) => name.endsWith(".js"));
  const imports = scripts.flatMap((name) =>
    [...readFileSync(join(ROOT, "dist/lib", name), "utf8").matchAll(/\bimport\((?!["'])[^)]*\)/g)].map(
      ([text]) => [name, text] as const,
    ),
  );
  assert.ok(imports.some(([name]) => name === "engine.js"));
  for (const [name, text] of imports) assert.match(text, /webpackIgnore: true/, name);
});

/** The files that a file of the package leads to: by imports alone, or by those that run later, too. */
function filesFrom(entry: string, later: boolean): ReadonlySet<string> {
  const found = new Set<string>();
  const leads = later ? /(?:from|import)\s*\(?\s*"\.\/([^"]+\.js)"/g : /(?:from|import)\s*"\.\/([^"]+\.js)"/g;
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const [, next] of readFileSync(join(ROOT, "dist/lib", file), "utf8").matchAll(leads)) visit(next as string);
  };
  visit(entry);
  return found;
}

test("Node loads few files, and the rarer operators and .onnx when something needs them", () => {
  const files = filesFrom("node.js", false);
  assert.ok(files.size <= 4, [...files].join());
  for (const name of ["often.js", "operators.js", "onnx.js", "onnxRare.js", "customs.js", "whole.js"])
    assert.ok(!files.has(name), name);
  const program = `
    import * as node from "pint8";
    import * as all from "./dist/lib/index.js";
    console.log(JSON.stringify([Object.keys(node), Object.keys(all), import.meta.resolve("pint8").split("/").at(-1)]));`;
  const [own, all, name] = JSON.parse(node("--input-type=module", "--eval", program));
  assert.deepEqual(own, all);
  assert.equal(name, "require_module" in process.features ? "node.js" : "index.js");
});

test("the runtime has no importer, operator or pass in it", () => {
  const map = filesFrom("runtime.js", true);
  // The room and the name of a source stand above what came of it.
  const sources = [...map].flatMap((file) =>
    [...readFileSync(join(ROOT, "dist/lib", file), "utf8").matchAll(/^\/\/ (\w+\/\w+)$/gm)].map(([, name]) => name),
  ) as string[];
  assert.ok(sources.some((source: string) => source === "session/session"));
  for (const source of sources) assert.doesNotMatch(source, /^(formats|ops|passes|cli)\//);
});

test("the package holds what it needs and no tests", () => {
  const [{ files, unpackedSize }] = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
  assert.ok(unpackedSize <= 3e6, `${unpackedSize} bytes where at most 3 MB are allowed`);
  const paths = files.map(({ path }: { path: string }) => path) as string[];
  for (const path of ["dist/lib/index.js", "dist/types/public/index.d.ts", "wasm/simd.wasm", "README.md", "LICENSE"])
    assert.ok(paths.includes(path), `${path} is missing`);
  assert.deepEqual(
    paths.filter((path) => /^(tests|bench|scripts|assembly|bindings|docs)\/|debug/.test(path)),
    [],
  );
});

test("nothing is installed beside it, and it is readable, with the notices of what is bundled", () => {
  assert.equal(manifest.dependencies, undefined);
  assert.deepEqual(manifest.peerDependenciesMeta, { binaryen: { optional: true } });
  const notices = readFileSync(join(ROOT, "dist/NOTICES.md"), "utf8");
  for (const name of ["commander", "fast-png", "bmp-ts", "flatbuffers", "pbf", "@cwasm/jpeg-turbo"])
    assert.match(notices, new RegExp(`^## ${name} \\d`, "m"));
  const program = `
    import { loadModel, Pint8Error, Session } from "pint8";
    console.log(Session.name, Pint8Error.name, await loadModel({}).catch((error) => error.constructor.name));`;
  assert.equal(node("--input-type=module", "--eval", program).trim(), "Session Pint8Error Pint8Error");
});

test("pint8/inline runs without any file, pint8/worker in a thread of its own", () => {
  const program = `
    import * as inline from "pint8/inline";
    import * as remote from "pint8/worker";
    import { loadModel } from "pint8";
    import { readFileSync } from "node:fs";
    const bytes = readFileSync("models/digits/digits_int8.tflite");
    const input = new Float32Array(784).map((_, i) => ((i * 37) % 256) / 255);
    const outputs = [];
    for (const load of [loadModel, inline.loadModel, remote.loadModel]) {
      const model = await load(bytes);
      outputs.push(Object.values(await model.run([input]))[0].join());
      await model.reset();
      model.close();
    }
    const refused = await remote.loadModel(bytes, { module: "none" }).catch((error) => error);
    const model = await remote.loadModel(bytes);
    const wrong = await model.run([1]).catch((error) => error);
    model.close();
    const closed = await model.run([input]).catch((error) => error);
    console.log(new Set(outputs).size, refused.code, refused instanceof remote.Pint8Error, wrong.code, closed.code);`;
  const printed = node("--input-type=module", "--eval", program).trim();
  assert.equal(printed, "1 INVALID_OPTION true INVALID_INPUT CLOSED");
});

test("programs in CommonJS require it where their Node can", { skip: !("require_module" in process.features) }, () => {
  const program = `const { loadModel } = require("pint8"); const { loadPlan } = require("pint8/runtime"); console.log(typeof loadModel, typeof loadPlan);`;
  assert.equal(node("--input-type=commonjs", "--eval", program).trim(), "function function");
});
