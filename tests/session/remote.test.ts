/** `pint8/worker`: what it refuses, as the loadModel of `pint8` does. The worker is the built one. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Pint8Error } from "../../bindings/errors.ts";
import { loadModel } from "../../bindings/public/worker.ts";

const bytes = readFileSync(fileURLToPath(new URL("../../models/digits/digits_int8.tflite", import.meta.url)));
const page = new File(["<html>"], "page.tflite");
const identity = { infer: () => [], run: () => {} };

test("options, files and inputs that a worker cannot have are refused by a Pint8Error that names them", async () => {
  const load = loadModel as (source: unknown, options?: unknown) => ReturnType<typeof loadModel>;
  const cases: readonly (readonly [unknown, unknown, RegExp])[] = [
    [bytes, null, /^loadModel: expected an object of options, received null$/],
    [bytes, "simd", /^loadModel: expected an object of options, received "simd"$/],
    [bytes, { onProgress: 1 }, /^loadModel: expected a function as option onProgress, received 1$/],
    [bytes, { wasmUrl: "/wasm/" }, /^loadModel: expected a function as option wasmUrl/],
    [bytes, { thread: 2 }, /^loadModel: expected the options .*received "thread"$/],
    [bytes, { customOperators: { own: identity } }, /^loadModel: expected options that can be sent to a worker/],
    [page, {}, /^page\.tflite: .*received an HTML page$/],
  ];
  const isPint8 = (message: RegExp) => (error: Error) => {
    assert.ok(error instanceof Pint8Error, error.stack);
    assert.match(error.message, message);
    return true;
  };
  for (const [source, options, message] of cases) await assert.rejects(load(source, options), isPint8(message));
  const model = await loadModel(bytes, { onWarning: () => {} });
  try {
    const unsent = [() => 1] as never;
    await assert.rejects(model.run(unsent), isPint8(/^inputs: expected arrays that can be sent to a worker/));
    const runs = await Promise.all([new Int8Array(784), new Int8Array(784).fill(9)].map((input) => model.run([input])));
    assert.notDeepEqual(runs[0], runs[1]);
  } finally {
    model.close();
  }
});
