/** Elimination of weights against every choice there is, solved by least squares. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kernels } from "../../bindings/optimize/linear/kernels.ts";
import { solveKept } from "../../bindings/optimize/linear/leastSquares.ts";
import { eliminate } from "../../bindings/optimize/prune/eliminate.ts";
import { scoreOnce } from "../../bindings/optimize/prune/scores.ts";
import { numbers } from "./support/numbers.ts";
import { squaredError } from "./support/squared-error.ts";

const at = (array: ArrayLike<number>, i: number) => array[i] as number;

/** Second moments of random rows that hang together. */
function moments(n: number, seed: number): Float64Array {
  const next = numbers(seed);
  const a = new Float64Array(n * n);
  for (let r = 0; r < 4 * n; r++) {
    const common = next();
    const x = Array.from({ length: n }, () => next() + common);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j] = at(a, i * n + j) + at(x, i) * at(x, j);
  }
  return a;
}

function inverse(a: Float64Array, n: number): Float64Array {
  const u = a.slice();
  assert.ok(kernels.cholesky(u, n));
  return kernels.invert(u, n);
}

/** Squared error of rows with these inputs gone, the rest at its best. */
function errorWithout(a: Float64Array, n: number, rows: readonly Float64Array[], gone: readonly number[]): number {
  const kept = Array.from({ length: n }, (_, i) => i).filter((i) => !gone.includes(i));
  return rows.reduce(
    (sum, w) => sum + squaredError(a, n, solveKept({ products: a, size: n, towards: w, ridge: 0 }, kept), w),
    0,
  );
}

const SHAPES = [
  { name: "one input at a time", rows: 1, units: { width: 1 } },
  { name: "blocks, the last one narrow", rows: 3, units: { width: 4 } },
  { name: "two of four", rows: 1, units: { width: 1, group: { units: 4, stay: 2 } } },
];

describe("elimination", () => {
  test("steps: a pair that is all gone counts like one weight more, and nothing else changes", () => {
    const n = 9;
    const a = moments(n, 7);
    const weights = [Float64Array.from({ length: n }, numbers(17))];
    const given = {
      inverse: inverse(a, n),
      size: n,
      weights: Float64Array.from(weights.flatMap((w) => [...w])),
      rows: 1,
    };
    const { order, costs, prices } = eliminate(given, { width: 1, steps: [2] }, n);
    assert.deepEqual(
      [...order].sort((x, y) => x - y),
      Array.from({ length: n }, (_, i) => i),
    );
    const stepOf = (i: number) => Math.floor(i / 2);
    const taken: number[] = [];
    let before = 0;
    for (let k = 0; k < n; ) {
      const open = Array.from({ length: n }, (_, i) => i).filter((i) => !taken.includes(i));
      const rest = (i: number) => open.filter((j) => stepOf(j) === stepOf(i));
      const choices = [...open.map((i) => [i]), ...open.map(rest)].map((places) => {
        const error = errorWithout(a, n, weights, [...taken, ...places]) - before;
        const whole = rest(at(places, 0)).length === places.length ? 1 : 0;
        return { places, error, price: error / (places.length + whole) };
      });
      const best = choices.reduce((least, each) => (each.price < least.price ? each : least));
      const { places, error, price } = best;
      assert.deepEqual([...order.subarray(k, k + places.length)], places);
      for (let i = k; i < k + places.length; i++) {
        assert.ok(Math.abs(at(costs, i) - error / places.length) < 1e-6 * (1 + error));
        assert.ok(Math.abs(at(prices, i) - price) < 1e-6 * (1 + price));
      }
      taken.push(...places);
      before += error;
      k += places.length;
    }
  });

  for (const { name, rows, units } of SHAPES)
    test(`${name}: each step is the cheapest there is, and costs what least squares says`, () => {
      const n = 10;
      const a = moments(n, 5);
      const weights = Array.from({ length: rows }, (_, r) => Float64Array.from({ length: n }, numbers(40 + r)));
      const flat = Float64Array.from(weights.flatMap((w) => [...w]));
      const total = Math.ceil(n / units.width);
      const { order, costs } = eliminate({ inverse: inverse(a, n), size: n, weights: flat, rows }, units, total);
      const inputsOf = (unit: number) =>
        Array.from({ length: units.width }, (_, i) => unit * units.width + i).filter((i) => i < n);
      const taken: number[] = [];
      const open = (unit: number) =>
        !taken.includes(unit) &&
        // The last two of ten are a group of their own, of which two stay.
        (!("group" in units) ||
          (unit < 8 && taken.filter((t) => Math.floor(t / 4) === Math.floor(unit / 4)).length < 2));
      let before = 0;
      for (const [step, unit] of order.entries()) {
        const choices = Array.from({ length: total }, (_, i) => i).filter(open);
        const prices = choices.map((u) => {
          const error = errorWithout(a, n, weights, [...taken, u].flatMap(inputsOf)) - before;
          return { u, error, mean: error / inputsOf(u).length };
        });
        const best = prices.reduce((least, each) => (each.mean < least.mean ? each : least));
        assert.equal(unit, best.u);
        assert.ok(Math.abs(at(costs, step) - best.error) < 1e-6 * (1 + best.error), `${at(costs, step)} ${best.error}`);
        taken.push(unit);
        before += best.error;
      }
      assert.equal(taken.length, "group" in units ? 4 : total);
    });
});

describe("units that are scored once", () => {
  for (const { name, rows, units } of SHAPES)
    test(`${name}: the cheapest of the start first, each at what it costs after those before it`, () => {
      const n = 10;
      const a = moments(n, 5);
      const weights = Array.from({ length: rows }, (_, r) => Float64Array.from({ length: n }, numbers(40 + r)));
      const whole = inverse(a, n);
      const flat = Float64Array.from(weights.flatMap((w) => [...w]));
      const total = Math.ceil(n / units.width);
      const [trace] = scoreOnce([{ inverse: whole, size: n, weights: flat, rows }], units, total);
      assert.ok(trace);
      const { order, costs, prices } = trace;
      const inputsOf = (unit: number) =>
        Array.from({ length: units.width }, (_, i) => unit * units.width + i).filter((i) => i < n);
      const first = (unit: number) =>
        inputsOf(unit).reduce(
          (sum, i) => sum + weights.reduce((own, w) => own + at(w, i) ** 2, 0) / at(whole, i * n + i),
          0,
        ) / inputsOf(unit).length;
      let before = 0;
      for (const [step, unit] of order.entries()) {
        if (step > 0) assert.ok(first(at(order, step - 1)) <= first(unit) + 1e-12);
        const gone = Array.from(order.subarray(0, step + 1)).flatMap(inputsOf);
        const error = errorWithout(a, n, weights, gone);
        assert.ok(Math.abs(at(costs, step) - (error - before)) < 1e-6 * (1 + error));
        assert.equal(at(prices, step), at(costs, step) / (rows * inputsOf(unit).length));
        before = error;
      }
      assert.equal(order.length, "group" in units ? 4 : total);
    });

  test("of a layer with fewer rows than inputs all together cost what its outputs are, and those of which no factor is made as much as the others", () => {
    const [n, rows, outputs] = [300, 20, 900];
    const next = numbers(3);
    const x = Float64Array.from({ length: rows * n }, next);
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        for (let r = 0; r < rows; r++) a[i * n + j] = at(a, i * n + j) + at(x, r * n + i) * at(x, r * n + j);
    for (let i = 0; i < n; i++) a[i * (n + 1)] = at(a, i * (n + 1)) + 1e-3 * rows;
    const whole = inverse(a, n);
    const parts = Array.from({ length: outputs }, () => {
      const weights = Float64Array.from({ length: n }, next);
      return { inverse: whole, size: n, weights, rows: 1 };
    });
    const ratios = scoreOnce(parts, { width: 1 }, n).map(({ costs }, o) => {
      const { weights } = parts[o] as (typeof parts)[number];
      return costs.reduce((sum, cost) => sum + cost, 0) / squaredError(a, n, weights, new Float64Array(n));
    });
    const exact = ratios.filter((ratio) => Math.abs(ratio - 1) < 1e-6).length;
    assert.ok(exact > 300 && exact < outputs, `${exact}`);
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / outputs;
    assert.ok(Math.abs(mean - 1) < 0.1, `${mean}`);
    assert.ok(
      ratios.every((ratio) => ratio > 0.2 && ratio < 5),
      `${Math.min(...ratios)} ${Math.max(...ratios)}`,
    );
  });
});
