/**
 * FULLY_CONNECTED of float32 with weights that are mostly zeros, which are left out: every byte of the dense product where
 * activations are finite, and beside them no NaN from zeros that meet what is not.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { packSparseF32 } from "../../bindings/primitives/product/sparseF32.ts";
import { BOUNDS } from "../../bindings/primitives/requantize/quantization.ts";
import { floatConvolution } from "../reference/floats.ts";
import { checkOperator, type Random, random, type Subject, subjects, tensor } from "../support/kernels.ts";

/** Floats of which one in `one` is not zero; zeros of both signs. */
function sparse(draw: Random, count: number, one: number): Float32Array {
  return Float32Array.from({ length: count }, () =>
    draw.int(1, one) === 1 ? draw.int(-1000, 1000) / 512 : draw.pick([0, -0]),
  );
}

function check(subject: Subject, draw: Random, m: number, n: number, k: number, one: number): void {
  const [x, w] = [sparse(draw, m * k, 1), sparse(draw, n * k, one)];
  // an output of zeros alone, and one of none
  w.fill(0, 0, k);
  w.fill(1, k, 2 * k);
  const bias = draw.int(0, 2) === 0 ? undefined : sparse(draw, n, 1);
  const activation = draw.pick(["none", "relu", "relu6"] as const);
  const [lo, hi] = BOUNDS[activation];
  const expected = floatConvolution({
    x,
    xShape: [m, 1, 1, k],
    w,
    ...(bias && { bias }),
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    before: [0, 0],
    yShape: [m, 1, 1, n],
    lo,
    hi,
    depthwise: false,
    group: k,
    asymmetric: false,
  });
  checkOperator(
    subject,
    operators.fullyConnected,
    {
      attributes: { activation, keepDims: false, asymmetric: false },
      inputs: [
        tensor("float32", [m, k]),
        tensor("float32", [n, k], undefined, w),
        ...(bias ? [tensor("float32", [n], undefined, bias)] : []),
      ],
      values: [x, w, ...(bias ? [bias] : [])],
      output: tensor("float32", [m, n]),
    },
    expected,
  );
}

for (const subject of await subjects())
  test(`sparse products of float32, ${subject.name}`, { skip: subject.skip }, () => {
    const draw = random(15);
    for (const m of [31, 32, 33, 63, 64, 97])
      for (const [n, k] of [
        [8, 32],
        [12, 20],
        [36, 8],
        [20, 64],
        [21, 32],
        [24, 33],
      ] as const)
        check(subject, draw, m, n, k, draw.pick([5, 9, 40]));
  });

for (const subject of await subjects())
  test(`zeros that are left out meet no infinity, ${subject.name}`, { skip: subject.skip }, () => {
    const draw = random(16);
    const [m, n, k] = [64, 24, 32];
    const [x, w] = [sparse(draw, m * k, 1), sparse(draw, n * k, 6)];
    for (let i = 0; i < m; i += 3) x[i * k + draw.int(0, k - 1)] = draw.pick([Infinity, -Infinity]);
    const expected = new Float32Array(m * n);
    for (let i = 0; i < m; i++)
      for (let o = 0; o < n; o++) {
        let sum = 0;
        for (let j = 0; j < k; j++) {
          const weight = w[o * k + j] as number;
          if (weight !== 0) sum = Math.fround(sum + Math.fround(weight * (x[i * k + j] as number)));
        }
        expected[i * n + o] = sum;
      }
    assert.ok(expected.includes(Infinity) && expected.includes(-Infinity) && !expected.some(Number.isNaN));
    checkOperator(
      subject,
      operators.fullyConnected,
      {
        attributes: { activation: "none", keepDims: false, asymmetric: false },
        inputs: [tensor("float32", [m, k]), tensor("float32", [n, k], undefined, w)],
        values: [x, w],
        output: tensor("float32", [m, n]),
      },
      expected,
    );
  });

test("float weights are packed without zeros where that pays", () => {
  const draw = random(3);
  const sizes = { m: 64, n: 32, k: 64 };
  const w = sparse(draw, 32 * 64, 5);
  const kept = w.filter((value) => value !== 0);
  const packed = packSparseF32(w, undefined, sizes);
  assert.equal(packed?.length, 8 * (32 + kept.length));
  const words = new Uint32Array((packed as Uint8Array).buffer);
  const values = new Float32Array(words.buffer);
  const found: number[] = [];
  for (let o = 0, at = 0; o < 32; o++) {
    const end = at + 2 + (words[at] as number) / 4;
    for (at += 2; at < end; at += 2) {
      assert.equal(w[o * 64 + (words[at] as number) / 128], values[at + 1]);
      found.push(values[at + 1] as number);
    }
  }
  assert.deepEqual(Float32Array.from(found), kept);
  assert.equal(packSparseF32(w, undefined, { ...sizes, m: 31 }), undefined, "few rows");
  assert.equal(packSparseF32(sparse(draw, 32 * 64, 1), undefined, sizes), undefined, "no zeros");
});
