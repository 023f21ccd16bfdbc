/** The packed tarball under runners of tests, which load modules by ways of their own. */
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
