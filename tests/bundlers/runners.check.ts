/** The packed tarball under runners of tests, which load modules by ways of their own, and as what copies servers takes it along. */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DIGITS, expected, project, run, tool } from "./support.ts";

/** The scores of the digits by each entry point, with a runner's `test` and `expect`. */
const checks = async (loading: string): Promise<string> => `${loading}
const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
for (const [name, load] of Object.entries({ pint8: loadModel, inline, worker }))
  test(name, async () => {
    const model = await load("digits_int8.tflite");
    const out = await model.run([input]);
    expect([...out[model.outputs[0].name]]).toEqual(${JSON.stringify(await expected())});
    model.close();
  });
`;

const IMPORTS = `import { loadModel } from "pint8";
import { loadModel as inline } from "pint8/inline";
import { loadModel as worker } from "pint8/worker";`;

test("Vitest, in each of its environments", async () => {
  const folder = project("vitest", ["vitest@5", "jsdom@26", "happy-dom@20"], {
    "a.test.js": await checks(`import { expect, test } from "vitest";\n${IMPORTS}`),
  });
  cpSync(DIGITS, join(folder, "digits_int8.tflite"));
  for (const environment of ["node", "jsdom", "happy-dom"]) tool(folder, "vitest", "run", "--environment", environment);
});

test("Jest 30: import by --experimental-vm-modules; require, too, from Node 24.9 on", async () => {
  const folder = project("jest", ["jest@30", `node-linux-${process.arch}@24`], {
    "a.test.mjs": await checks(IMPORTS),
    "jest.config.json": JSON.stringify({ testMatch: ["**/*.test.{mjs,cjs}"], transform: {} }),
  });
  cpSync(DIGITS, join(folder, "digits_int8.tflite"));
  const jest = ["--experimental-vm-modules", join(folder, "node_modules/jest/bin/jest.js")];
  run(folder, process.execPath, ...jest);
  if (process.platform !== "linux") return;
  const required = IMPORTS.replace(/import (\{.*\}) from ("[^"]+");/g, "const $1 = require($2);").replaceAll(
    " as ",
    ": ",
  );
  writeFileSync(join(folder, "b.test.cjs"), await checks(required));
  run(folder, join(folder, `node_modules/node-linux-${process.arch}/bin/node`), ...jest);
});

const TRACE = `import { nodeFileTrace } from "@vercel/nft";
import { cpSync } from "node:fs";
const { fileList } = await nodeFileTrace(["server.mjs"]);
for (const file of fileList) cpSync(file, "copied/" + file);
`;

const SERVER = `import { importModel, loadModel } from "pint8";
import { loadModel as worker } from "pint8/worker";
const { readFileSync } = await import("node:fs");
const bytes = readFileSync(process.argv[2]);
if (importModel(bytes).nodes.length === 0) throw new Error("an empty graph");
for (const options of [{ module: "scalar" }, { module: "simd" }, { threads: 2, onWarning: (text) => { throw new Error(text); } }])
  for (const load of [loadModel, worker]) {
    const model = await load(bytes, options);
    await model.run([new Float32Array(784)]);
    await model.close();
  }
`;

test("@vercel/nft copies all that a server needs", { skip: process.platform !== "linux" }, () => {
  const node = `node-linux-${process.arch}`;
  const folder = project("nft", ["@vercel/nft@1", `${node}@24`], { "trace.mjs": TRACE, "server.mjs": SERVER });
  // of older Node it leaves out what the condition module-sync names
  const program = join(folder, "node_modules", node, "bin/node");
  run(folder, program, "trace.mjs");
  run(join(folder, "copied"), program, "server.mjs", DIGITS);
});
