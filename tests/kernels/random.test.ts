/** RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL and MULTINOMIAL, against what TensorFlow Lite 2.21 drew by the same seeds, and against Philox. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type LoadOptions, loadModel, loadPlan, planModel } from "../../bindings/public/index.ts";
import type { TypedArray } from "../../bindings/tensor.ts";
import { buildTflite, type TensorSpec } from "../formats/build-tflite.ts";
import { runnable } from "../support/kernels.ts";

type Code = "RANDOM_UNIFORM" | "RANDOM_STANDARD_NORMAL" | "MULTINOMIAL";
type Seeds = readonly [bigint, bigint];
/** RandomOptions: two int64. */
const options = ([seed, seed2]: Seeds) => ({ type: 114, fields: { 0: { int64: seed }, 1: { int64: seed2 } } });
const int = (shape: readonly number[], values: readonly number[]): TensorSpec => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});

/** A model of one such operator with an input, which numbers are multiplied by, or scores. */
function model(code: Code, shape: readonly number[], seeds: Seeds): Uint8Array {
  const isDrawn = code === "MULTINOMIAL";
  const [rows = 1, count = 1] = shape;
  return buildTflite({
    tensors: [
      { name: "x", dtype: "float32", shape: isDrawn ? [rows, 4] : shape },
      isDrawn ? int([], [count]) : int([shape.length], shape),
      { name: "drawn", dtype: isDrawn ? "int64" : "float32", shape },
      { name: "y", dtype: isDrawn ? "int64" : "float32", shape },
    ],
    operators: [
      { code, inputs: isDrawn ? [0, 1] : [1], outputs: [isDrawn ? 3 : 2], options: options(seeds) },
      ...(isDrawn ? [] : [{ code: "MUL" as const, inputs: [0, 2], outputs: [3], options: { type: 21, fields: {} } }]),
    ],
    inputs: [0],
    outputs: [3],
  });
}

async function drawn(bytes: Uint8Array, x: Float32Array, module: string, isSaved: boolean): Promise<TypedArray[]> {
  const own = { module } as LoadOptions;
  const session = isSaved ? await loadPlan(await planModel(bytes, own)) : await loadModel(bytes, own);
  const run = () => (session.run({ x }) as { readonly y: TypedArray }).y.slice();
  const runs = [run(), run()];
  session.reset();
  runs.push(run());
  session.close();
  return runs;
}

const near = (actual: TypedArray | undefined, expected: readonly number[]) => {
  assert.equal(actual?.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(Number(actual?.[i]) - value) < 2e-6, `${i}: ${actual?.[i]}`);
};

/** The first runs of TensorFlow Lite's own interpreter (`BUILTIN_REF`). */
const UNIFORM = [
  [
    0.6690243482589722, 0.36030519008636475, 0.5731760263442993, 0.4930621385574341, 0.6441320180892944,
    0.8007898330688477,
  ],
  [
    0.9329245090484619, 0.25073421001434326, 0.35612356662750244, 0.6179550886154175, 0.32144713401794434,
    0.03309774398803711,
  ],
];
const NORMAL = [
  [1.0616620779037476, -0.8785783052444458, 0.11187215894460678, 0.18511717021465302, 0.9092256426811218],
  [-0.06316554546356201, -1.3077313899993896, 0.16013631224632263, -1.4507412910461426, -2.0488240718841553],
];
const CLASSES = [
  [1, 2, 3, 3, 0, 2, 2, 3, 3, 1, 2, 1, 1, 1],
  [3, 3, 2, 3, 3, 1, 2, 0, 0, 1, 0, 0, 0, 1],
];

for (const subject of await runnable())
  for (const isSaved of [false, true])
    test(`random numbers, ${subject.name}${isSaved ? ", a saved plan" : ""}`, { skip: subject.skip }, async () => {
      const { name } = subject;
      const ones = new Float32Array(6).fill(1);
      const uniform = model("RANDOM_UNIFORM", [2, 3], [1234567890123456789n, 2n ** 40n + 7n]);
      const [first, second, again] = await drawn(uniform, ones, name, isSaved);
      assert.deepEqual(
        [first, second],
        UNIFORM.map((each) => Float32Array.from(each)),
      );
      assert.deepEqual(again, first, "reset() begins again");
      const normal = await drawn(
        model("RANDOM_STANDARD_NORMAL", [5], [87654321n, 3n]),
        ones.subarray(1),
        name,
        isSaved,
      );
      for (const [i, each] of NORMAL.entries()) near(normal[i], each);
      const scores = Float32Array.from([0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.1, 0.1], Math.log);
      const classes = await drawn(model("MULTINOMIAL", [2, 7], [87654321n, 5n]), scores, name, isSaved);
      assert.deepEqual(
        classes.slice(0, 2),
        CLASSES.map((each) => BigInt64Array.from(each, BigInt)),
      );
    });

/** Four words of a block: https://www.thesalmons.org/john/random123/papers/random123sc11.pdf */
function philox(block: number, seeds: Seeds): readonly number[] {
  // TensorFlow Lite keeps 32 bits of a seed, with their sign
  const [seed, seed2] = seeds.map((each) => BigInt.asIntN(32, each)) as [bigint, bigint];
  const word = (value: bigint) => BigInt.asUintN(32, value);
  let [a, b, c, d] = [BigInt(block), 0n, word(seed2), word(seed2 >> 32n)];
  let [k, l] = [word(seed), word(seed >> 32n)];
  for (let round = 0; round < 10; round++) {
    const [p, q] = [0xd2511f53n * a, 0xcd9e8d57n * c];
    [a, b, c, d] = [(q >> 32n) ^ b ^ k, word(q), (p >> 32n) ^ d ^ l, word(p)];
    [k, l] = [word(k + 0x9e3779b9n), word(l + 0xbb67ae85n)];
  }
  return [a, b, c, d].map(Number);
}

test("uniform numbers are Philox's words by any seeds, also negative ones and none", async () => {
  const count = 1023;
  for (const seeds of [
    [0n, 0n],
    [-5n, 2n ** 63n - 1n],
    [2n ** 31n + 9n, 2n ** 33n + 3n],
  ] satisfies Seeds[]) {
    const [y, next] = await drawn(
      model("RANDOM_UNIFORM", [count], seeds),
      new Float32Array(count).fill(1),
      "simd",
      false,
    );
    const words = Array.from({ length: 512 }, (_, block) => philox(block, seeds)).flat();
    const expected = (from: number) =>
      Float32Array.from({ length: count }, (_, i) => ((words[from + i] as number) % 2 ** 23) / 2 ** 23);
    assert.deepEqual([y, next], [expected(0), expected(1024)]);
  }
});

test("scores of one class, of −Infinity, and shapes that only a run can tell", async () => {
  const scores = Float32Array.from([-Infinity, 0, -Infinity, -Infinity]);
  const [y] = await drawn(model("MULTINOMIAL", [1, 9], [1n, 2n]), scores, "simd", false);
  assert.deepEqual(y, new BigInt64Array(9).fill(1n));
  const open = buildTflite({
    tensors: [
      { name: "x", dtype: "int32", shape: [2] },
      { name: "y", dtype: "float32", shape: [1, 1] },
    ],
    operators: [{ code: "RANDOM_UNIFORM", inputs: [0], outputs: [1], options: options([1n, 2n]) }],
    inputs: [0],
    outputs: [1],
  });
  await assert.rejects(loadModel(open, { module: "simd" }), {
    code: "UNSUPPORTED",
    message: /C1: expected sizes that are known/,
  });
});
