/** Which kernel a pruned layer gets: a sparse one only where it surely is faster. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { choosePacking } from "../../bindings/primitives/product/sparse.ts";

/** Weights of which each row keeps so many, at places that no block or pair shares. */
function weights(n: number, k: number, kept: number): Int8Array {
  const b = new Int8Array(n * k);
  for (let o = 0; o < n; o++) for (let i = 0; i < kept; i++) b[o * k + ((o * 5 + Math.floor((i * k) / kept)) % k)] = 1;
  return b;
}

const kindOf = (module: "simd" | "relaxed", m: number, n: number, k: number, kept: number) => {
  const rows = { m, patches: false, vector: false, dense: () => 1 };
  return choosePacking(module, weights(n, k, kept), n, k, n * (k - kept), rows).kind;
};

test("70 % of zeros in a small layer gain nothing with relaxed, where dense stays, and something with simd", () => {
  assert.equal(kindOf("relaxed", 16, 64, 64, 18), "dense");
  assert.equal(kindOf("relaxed", 16, 48, 144, 46), "dense");
  assert.equal(kindOf("simd", 16, 64, 64, 18), "columns");
});

test("more zeros, or 70 % in a large layer, gain with relaxed too", () => {
  assert.equal(kindOf("relaxed", 16, 64, 64, 8), "columns");
  assert.equal(kindOf("relaxed", 16, 48, 288, 72), "columns");
});
