/** Every linear sum that the packer claims to be exact, on all 65536 pairs against the reference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type LinearSum, proveSum, type Sum } from "../../bindings/primitives/elementwise/sumProof.ts";
import { quantizeMultiplier } from "../../bindings/primitives/requantize/quantization.ts";
import * as fp from "../reference/fixedpoint.ts";
import { random } from "../support/kernels.ts";

const RANGE = { lo: -128, hi: 127 };

/** As the kernel computes it, in int32. */
function linear(a: number, b: number, { form, highFactors, lowFactors, zero, offset }: LinearSum): number {
  const dot = (pair: number) => a * ((pair << 16) >> 16) + b * (pair >> 16);
  const t = ((dot(highFactors) << 15) + dot(lowFactors) + zero) | 0;
  return ((t + offset + (t >> 31)) | 0) >> (23 - form);
}

function check(sum: Sum): boolean {
  const proven = proveSum(sum, RANGE);
  if (proven === undefined) return false;
  const operand = ({ multiplier, shift }: Sum["a"], zeroPoint: number) =>
    Array.from({ length: 256 }, (_, i) =>
      fp.roundingDivideByPOT(fp.saturatingRoundingDoublingHighMul((i - 128 - zeroPoint) * 2 ** 20, multiplier), -shift),
    );
  const a = operand(sum.a, sum.aZeroPoint);
  const b = operand(sum.b, sum.bZeroPoint);
  const clamp = (q: number) => Math.min(Math.max(q + sum.yZeroPoint, RANGE.lo), RANGE.hi);
  for (const [i, u] of a.entries())
    for (const [j, v] of b.entries()) {
      const high = fp.saturatingRoundingDoublingHighMul(u + sum.sign * v, sum.y.multiplier);
      const expected = clamp(fp.roundingDivideByPOT(high, -sum.y.shift));
      const actual = clamp(linear(i - 128, j - 128, proven));
      if (actual !== expected)
        assert.fail(`${i - 128}, ${j - 128}: ${actual}, not ${expected}; ${JSON.stringify(sum)}`);
    }
  return true;
}

test("linear sums, scales near each other and powers of two", () => {
  const draw = random(3);
  let proven = 0;
  for (let i = 0; i < 24; i++) {
    const exact = i % 3 === 0;
    const scale = () => (exact ? 2 ** draw.int(-6, -4) : draw.int(2000, 9000) / 100003);
    const [a, b, y] = [scale(), scale(), scale()];
    const twice = 2 * Math.max(a, b);
    const sum: Sum = {
      a: quantizeMultiplier(a / twice),
      b: quantizeMultiplier(b / twice),
      y: quantizeMultiplier(twice / (2 ** 20 * y)),
      sign: i % 2 ? 1 : -1,
      aZeroPoint: draw.pick([-128, 0, draw.int(-128, 127)]),
      bZeroPoint: draw.int(-128, 127),
      yZeroPoint: draw.pick([-128, draw.int(-128, 127)]),
    };
    if (check(sum)) proven++;
  }
  assert.ok(proven >= 20, `${proven} of 24 proven`);
});

test("linear sums of outputs with far smaller scales", () => {
  const a = { multiplier: 2 ** 30, shift: 0 };
  const sums: readonly (readonly [number, number, number, number, number, number])[] = [
    // the residual sums of a lane detector, whose outputs are clamped from far outside: 20 fraction bits
    [2033813873, 1584185939, -16, 2, 2, -128],
    [1736157491, 1133868103, -16, -11, 6, -128],
  ];
  for (const [b, y, shift, aZeroPoint, bZeroPoint, yZeroPoint] of sums) {
    const zeroPoints = { aZeroPoint, bZeroPoint, yZeroPoint };
    const sum = { a, b: { multiplier: b, shift: -1 }, y: { multiplier: y, shift }, sign: 1, ...zeroPoints } as const;
    assert.ok(check(sum), `${b}`);
  }
  const draw = random(11);
  let proven = 0;
  for (let i = 0; i < 200; i++) {
    const [a, b] = [draw.int(2000, 9000) / 100003, draw.int(2000, 9000) / 100003];
    const twice = 2 * Math.max(a, b);
    const sum: Sum = {
      a: quantizeMultiplier(a / twice),
      b: quantizeMultiplier(b / twice),
      y: quantizeMultiplier(twice / (2 ** 20 * (twice / draw.int(3, 60)))),
      sign: i % 2 ? 1 : -1,
      aZeroPoint: draw.int(-128, 127),
      bZeroPoint: draw.int(-128, 127),
      yZeroPoint: draw.int(-128, 127),
    };
    if (i % 10 === 0 ? check(sum) : proveSum(sum, RANGE) !== undefined) proven++;
  }
  assert.ok(proven >= 165, `${proven} of 200 proven`);
});
