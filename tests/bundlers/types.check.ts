/** The README's lines as they stand, under `tsc --init` of an old and the newest TypeScript; what judges of packages say. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DIGITS, project, ROOT, run, tarball, tool } from "./support.ts";

const README = readFileSync(join(ROOT, "README.md"), "utf8");
const LINES = /```ts\n(import \{ dequantize[\s\S]*?)\n```/.exec(README)?.[1] ?? assert.fail("no example in README.md");

/** Exact types of a model, and plain ones, as programs use them. */
const USES = `import { loadModel, type Outputs } from "pint8";
import { loadPlan } from "pint8/runtime";
import { createKernels } from "pint8/kernels";
import { loadModel as inline } from "pint8/inline";
import { loadModel as remote } from "pint8/worker";
import type { Digits } from "./model";

export async function exact() {
  const model = await loadModel<Digits>("digits_int8.tflite");
  const { probabilities } = rename(model.run([new Int8Array(784)]));
  const first: number = probabilities.reduce((a, b) => Math.max(a, b), -128);
  return first;
}
const rename = (out: Outputs<Digits>) => ({ probabilities: out[Object.keys(out)[0] as keyof typeof out] as Int8Array });

export async function plain() {
  const model = await loadModel(fetch("digits_int8.tflite"), { threads: "auto" });
  const out = model.run({ image: [0, 1] });
  let most = -Infinity;
  for (const { name } of model.outputs) {
    const values = out[name];
    if (values === undefined) continue;
    most = Math.max(...values, values.map((x) => x * 2).reduce((a, b) => a + b, 0));
    for (const value of values) most = Math.max(most, value);
  }
  return [most, loadPlan, createKernels, inline, remote];
}
`;

for (const [name, version] of [
  ["ts56", "5.6"],
  ["tsnew", "latest"],
] as const)
  describe(`TypeScript ${version}`, () => {
    test("the README's lines compile under tsc --init and name a class; model types and plain ones compile", () => {
      const cli = [join(ROOT, "dist/lib/cli.js"), "types", DIGITS, "--name", "Digits"];
      const at = project(name, [`typescript@${version}`], {
        "lines.ts": LINES,
        "model.ts": String(execFileSync(process.execPath, cli)),
        "uses.ts": USES.replace('"./model"', '"./model.js"'),
      });
      tool(at, "tsc", "--init");
      cpSync(DIGITS, join(at, "digits_int8.tflite"));
      tool(at, "tsc", "--noEmit", "false");
      const said = run(
        at,
        process.execPath,
        ...(version === "5.6" ? ["--input-type=module", "--eval", LINES] : ["lines.js"]),
      );
      assert.match(said, /^class \d, probability 0\.\d+\n$/);
    });
  });

test("moduleResolution node, and node16 from CommonJS", () => {
  const old =
    'import { loadModel } from "pint8";\nimport { loadPlan } from "pint8/runtime";\nexport const m = [loadModel("model.tflite"), loadPlan];\n';
  const at = project("ts56", ["typescript@5.6"], { "old.ts": old, "old.cts": old });
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--ignoreConfig", "false"].slice(
    0,
    -2,
  );
  rmSync(join(at, "tsconfig.json"), { force: true });
  tool(at, "tsc", ...options, "--module", "commonjs", "--moduleResolution", "node", "old.ts");
  tool(at, "tsc", ...options, "--module", "node16", "old.cts");
});

test("publint and are-the-types-wrong have nothing to say", () => {
  const at = project("lint", ["publint", "@arethetypeswrong/cli"], {});
  const said = tool(at, "publint", "run", "node_modules/pint8", "--strict");
  assert.match(said, /All good/);
  tool(at, "attw", tarball(), "--exclude-entrypoints", "./wasm/*.wasm");
});

test("npm install is one package of at most 3 MB", () => {
  const at = project("install", [], {});
  rmSync(join(at, "node_modules"), { recursive: true, force: true });
  run(at, "npm", "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", tarball());
  assert.deepEqual(
    readdirSync(join(at, "node_modules")).filter((name) => !name.startsWith(".")),
    ["pint8"],
  );
  const sizeOf = (path: string): number =>
    statSync(path).isDirectory()
      ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
      : statSync(path).size;
  const bytes = sizeOf(join(at, "node_modules/pint8"));
  assert.ok(bytes <= 3e6, `${bytes} bytes`);
});
