/** The fixed-point arithmetic of tables against gemmlowp's as it is written there, on edges and at random. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as fixed from "../../bindings/primitives/requantize/fixedpoint.ts";
import {
  frexp,
  quantizeMultiplier,
  quantizeMultipliers,
  roundHalfAway,
} from "../../bindings/primitives/requantize/quantization.ts";
import * as reference from "../reference/fixedpoint.ts";

const MIN = -(2 ** 31);
const MAX = 2 ** 31 - 1;
const int32 = fc.oneof(fc.integer({ min: MIN, max: MAX }), fc.constantFrom(MIN, MIN + 1, -1, 0, 1, 2 ** 30, MAX));
const settings = { numRuns: 3000, seed: 5 };

test("highMul", () => {
  fc.assert(
    fc.property(int32, int32, (a, b) => {
      assert.equal(fixed.highMul(a, b) + 0, reference.saturatingRoundingDoublingHighMul(a, b));
    }),
    settings,
  );
});

test("roundingShift, with ties", () => {
  const half = fc.integer({ min: 1, max: 31 }).chain((exponent) =>
    fc.record({
      exponent: fc.constant(exponent),
      x: fc
        .integer({ min: -(2 ** (31 - exponent)), max: 2 ** (31 - exponent) - 1 })
        .map((n) => (n + 0.5) * 2 ** exponent),
    }),
  );
  fc.assert(
    fc.property(
      fc.oneof(half, fc.record({ x: int32, exponent: fc.integer({ min: 0, max: 31 }) })),
      ({ x, exponent }) => {
        assert.equal(fixed.roundingShift(x, exponent) + 0, reference.roundingDivideByPOT(x, exponent));
      },
    ),
    settings,
  );
});

test("rescale", () => {
  const shift = fc.integer({ min: -31, max: 30 });
  const multiplier = fc.integer({ min: 2 ** 30, max: MAX });
  fc.assert(
    fc.property(int32, multiplier, shift, (x, m, s) => {
      assert.equal(fixed.rescale(x, m, s) + 0, reference.multiplyByQuantizedMultiplier(x, m, s));
    }),
    settings,
  );
});

test("exp, logistic, tanh", () => {
  const negative = fc.oneof(fc.integer({ min: MIN, max: 0 }), fc.integer({ min: -(2 ** 27), max: 0 }));
  fc.assert(
    fc.property(
      negative,
      int32.filter((x) => x !== MIN),
      (a, b) => {
        assert.equal(fixed.expOfNegative(a, 5), reference.expOnNegativeValues(a, 5));
        assert.equal(fixed.expOfNegative(a, 4), reference.expOnNegativeValues(a, 4));
        assert.equal(fixed.logistic(b), reference.logistic(b));
        assert.equal(fixed.tanh(b), reference.tanh(b));
      },
    ),
    settings,
  );
  assert.ok(Math.abs(fixed.expOfNegative(-(2 ** 26), 5) / 2 ** 31 - Math.exp(-1)) < 1e-6);
  assert.ok(Math.abs(fixed.logistic(2 ** 27) / 2 ** 31 - 1 / (1 + Math.exp(-1))) < 1e-6);
  assert.ok(Math.abs(fixed.tanh(2 ** 27) / 2 ** 31 - Math.tanh(1)) < 1e-6);
});

test("quantizeMultiplier and frexp", () => {
  const real = fc.double({ min: -1e12, max: 1e12, noNaN: true });
  fc.assert(
    fc.property(fc.oneof(real, real.map(Math.fround), fc.double({ min: 0, max: 2, noNaN: true })), (x) => {
      const { multiplier, shift } = quantizeMultiplier(x);
      assert.deepEqual({ multiplier: multiplier + 0, shift }, reference.quantizeMultiplier(x));
      const many = quantizeMultipliers([x, x / 2 ** 40]);
      const low = quantizeMultiplier(x / 2 ** 40);
      assert.deepEqual([...many.multiplier], [multiplier + 0, low.multiplier + 0]);
      assert.deepEqual([...many.shift], [shift, low.shift]);
      const { fraction, exponent } = frexp(x);
      assert.equal(fraction * 2 ** exponent, x);
      if (x !== 0) assert.ok(Math.abs(fraction) >= 0.5 && Math.abs(fraction) < 1);
    }),
    settings,
  );
  assert.deepEqual(quantizeMultiplier(1 - 2 ** -40), { multiplier: 2 ** 30, shift: 1 });
  assert.deepEqual(quantizeMultiplier(2 ** -33), { multiplier: 0, shift: 0 });
  assert.deepEqual([...quantizeMultipliers([1 - 2 ** -40]).multiplier], [2 ** 30]);
  for (const [x, y] of [
    [0.5, 1],
    [-0.5, -1],
    [2.5, 3],
    [-2.5, -3],
    [0.49999999999999994, 0],
  ] as const)
    assert.equal(roundHalfAway(x), y, String(x));
});
