/** linear.wasm gives what its twins in JavaScript give, to the bit. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kernels } from "../../bindings/optimize/linear/kernels.ts";
import { twins } from "../../bindings/optimize/linear/twins.ts";
import { numbers } from "./support/numbers.ts";

/** Whether zeros have a sign is nobody's business. */
const bits = (array: Float64Array) => new BigInt64Array(Float64Array.from(array, (value) => value + 0).buffer);

/** Products of random rows with each other, what is below the diagonal never being read. */
function positive(n: number, seed: number): Float64Array {
  const next = numbers(seed);
  const rows = Float64Array.from({ length: (n + 3) * n }, () => next() * 2 ** Math.round(4 * next()));
  const a = new Float64Array(n * n).fill(Number.NaN);
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) {
      let sum = 0;
      for (let r = 0; r < n + 3; r++) sum += (rows[r * n + i] as number) * (rows[r * n + j] as number);
      a[i * n + j] = sum;
    }
  return a;
}

describe("linear.wasm", () => {
  test("is at hand", (t) => {
    const compiled = t.mock.method(WebAssembly, "Module");
    kernels.invert(new Float64Array([1]), 1);
    assert.equal(compiled.mock.callCount(), 1, "the first call compiles it");
    assert.equal(compiled.mock.calls[0]?.error, undefined);
  });

  for (const n of [1, 7, 15, 16, 17, 23, 24, 47, 48, 49, 56, 95, 96, 97, 150, 200])
    test(`factors and inverses of ${n} rows`, () => {
      const [a, b] = [positive(n, n), positive(n, n)];
      assert.ok(kernels.cholesky(a, n));
      assert.ok(twins.cholesky(b, n));
      assert.deepEqual(bits(a), bits(b));
      assert.deepEqual(bits(kernels.invert(a, n)), bits(twins.invert(b, n)));
    });

  test("matrices that have no factor, at any place", () => {
    for (const place of [0, 20, 47, 48, 70, 99])
      for (const value of [-1, 0, Infinity, Number.NaN]) {
        const a = positive(100, place);
        a[place * 101] = value;
        assert.equal(kernels.cholesky(a.slice(), 100), false, `${value} at ${place}`);
        assert.equal(twins.cholesky(a, 100), false);
      }
  });

  for (const [height, width, depth] of [
    [1, 1, 1],
    [7, 9, 64],
    [8, 8, 5],
    [3, 130, 64],
    [64, 65, 64],
    [65, 64, 256],
    [130, 72, 64],
  ] as const)
    test(`sums of products ${height} by ${width} of ${depth} rows`, () => {
      const next = numbers(height + width);
      const [p, q] = [height, width].map((columns) => Float64Array.from({ length: depth * columns }, next)) as [
        Float64Array,
        Float64Array,
      ];
      for (const [left, rows, triangle] of [
        [p, height, false],
        [q, width, true],
      ] as const) {
        const start = Float64Array.from({ length: rows * width }, next);
        const [found, expected] = [start.slice(), start.slice()];
        kernels.addProducts(left, q, depth, found, triangle);
        twins.addProducts(left, q, depth, expected, triangle);
        assert.deepEqual(bits(found), bits(expected));
        for (let i = 0; triangle && i < rows; i++)
          assert.deepEqual(found.subarray(i * width, i * width + i), start.subarray(i * width, i * width + i));
      }
    });

  test("a matrix after a larger one", () => {
    for (const n of [120, 30, 75]) {
      const [a, b] = [positive(n, n), positive(n, n)];
      kernels.cholesky(a, n);
      twins.cholesky(b, n);
      assert.deepEqual(bits(a), bits(b));
    }
  });
});
