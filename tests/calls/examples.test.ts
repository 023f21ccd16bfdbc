/** The examples in the documentation of `pint8/kernels` print what they say they print. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatWithOptions } from "node:util";
import { createKernels, denseWeights, prunedWeights } from "../../bindings/public/kernels.ts";

const api = { createKernels, denseWeights, prunedWeights };

const source = readFileSync(new URL("../../bindings/public/kernels.ts", import.meta.url), "utf8");
const examples = [...source.matchAll(/^ *\* ```ts\n(.*?)^ *\* ```/gms)].map(([, body = ""]) =>
  body.replace(/^ *\* ?/gm, ""),
);

/** Runs an example and returns what it prints, line by line. */
async function printed(example: string): Promise<readonly string[]> {
  const lines: string[] = [];
  const log = (...values: unknown[]) => lines.push(formatWithOptions({ colors: false }, ...values));
  const kernels = await createKernels({ pages: 4 });
  const AsyncFunction = (async () => {}).constructor as new (
    ...text: string[]
  ) => (...values: unknown[]) => Promise<void>;
  const body = example.replace(/^import .*$/gm, "");
  const own = /\bconst kernels\b/.test(body) ? "unused" : "kernels";
  const run = new AsyncFunction(own, "console", ...Object.keys(api), body);
  await run(kernels, { log }, ...Object.values(api));
  return lines;
}

test("every function has an example", () => {
  for (const name of ["gemm", "spmm", "conv2d", "depthwiseConv2d", "requantize"])
    assert.ok(
      examples.some((example) => example.includes(`kernels.${name}(`)),
      name,
    );
});

for (const [i, example] of examples.entries())
  test(`example ${i + 1}`, async () => {
    const expected = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    assert.ok(expected.length > 0);
    assert.deepEqual(await printed(example), expected);
  });
