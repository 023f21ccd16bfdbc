/** GPTQ and equalization against plain references. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { measureRanges } from "../../bindings/optimize/calibrate/ranges.ts";
import { floatsOf } from "../../bindings/optimize/constants.ts";
import { layersOf } from "../../bindings/optimize/layers.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import { adaround } from "../../bindings/optimize/quantize/adaround.ts";
import { equalize, pairsOf } from "../../bindings/optimize/quantize/equalize.ts";
import { gptq, leastErrorScales, squaresOf } from "../../bindings/optimize/quantize/gptq.ts";
import { packNibbles } from "../../bindings/optimize/quantize/weights.ts";
import { openRunner } from "../../bindings/optimize/run.ts";
import { dataset, digits, model, skip } from "./support/digits.ts";

const DEPTH = 7;
const random = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => ((Math.sin(seed * 91.7 + i * 12.9898) * 43758.5453) % 1) * 2);

/** XᵀX of rows that depend on each other. */
function products(): Float64Array {
  const sums = new Float64Array(DEPTH * DEPTH);
  for (let row = 0; row < 50; row++) {
    const x = random(DEPTH, row + 1).map((value, i) => value * (i + 1) + (i > 0 ? 0.8 * row : 0));
    for (let i = 0; i < DEPTH; i++)
      for (let j = 0; j < DEPTH; j++)
        sums[i * DEPTH + j] = (sums[i * DEPTH + j] as number) + (x[i] as number) * (x[j] as number);
  }
  return sums;
}

/** The inverse by Gauss and Jordan. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))]);
  for (let i = 0; i < n; i++) {
    const pivot = rows[i] as number[];
    const by = pivot[i] as number;
    for (let k = 0; k < 2 * n; k++) pivot[k] = (pivot[k] as number) / by;
    for (let r = 0; r < n; r++) {
      const row = rows[r] as number[];
      const factor = r === i ? 0 : (row[i] as number);
      for (let k = 0; k < 2 * n; k++) row[k] = (row[k] as number) - factor * (pivot[k] as number);
    }
  }
  return rows.map((row) => row.slice(n));
}

/** Optimal brain quantization in a fixed order: the inverse of what is left is computed anew for each input. */
function reference(w: Float32Array, h: Float64Array, scale: number): number[] {
  const mean = Array.from({ length: DEPTH }, (_, i) => h[i * DEPTH + i] as number).reduce((a, b) => a + b) / DEPTH;
  const at = (i: number, j: number) => (h[i * DEPTH + j] as number) + (i === j ? 0.01 * mean : 0);
  const order = Array.from({ length: DEPTH }, (_, i) => i).sort((a, b) => at(b, b) - at(a, a));
  const row = [...w];
  const q: number[] = Array(DEPTH).fill(0);
  for (const [k, i] of order.entries()) {
    const left = order.slice(k);
    const inv = inverse(left.map((a) => left.map((b) => at(a, b))));
    q[i] = Math.min(Math.max(Math.round((row[i] as number) / scale), -7), 7);
    const error = ((row[i] as number) - (q[i] as number) * scale) / (inv[0]?.[0] as number);
    for (const [l, j] of left.entries()) if (l > 0) row[j] = (row[j] as number) - error * (inv[0]?.[l] as number);
  }
  return q;
}

const h = products();
const weights = random(DEPTH * 4, 99);

/** Squared error of the outputs, of these rows or of all. */
function error(q: ArrayLike<number>, scale: ArrayLike<number>, rows: readonly number[] = [0, 1, 2, 3]): number {
  let sum = 0;
  for (const o of rows) {
    const d = Array.from(
      { length: DEPTH },
      (_, i) => (weights[o * DEPTH + i] as number) - (q[o * DEPTH + i] as number) * (scale[o] as number),
    );
    for (let i = 0; i < DEPTH; i++)
      for (let j = 0; j < DEPTH; j++) sum += (d[i] as number) * (d[j] as number) * (h[i * DEPTH + j] as number);
  }
  return sum;
}

describe("GPTQ", () => {
  test("gives the integers of the plain form", () => {
    const scale = [0.21, 0.3, 0.25, 0.4];
    const found = gptq({ weights, depth: DEPTH, products: h }, scale, 4);
    for (const [o, s] of scale.entries())
      assert.deepEqual(
        [...found.subarray(o * DEPTH, (o + 1) * DEPTH)],
        reference(weights.subarray(o * DEPTH, (o + 1) * DEPTH), h, s).map((q) => q + 0),
      );
  });

  test("brings the outputs nearer than rounding to the nearest", () => {
    const scale = leastErrorScales({ weights, depth: DEPTH, squares: squaresOf(h, DEPTH) }, [0.3, 0.3, 0.3, 0.3], 4);
    const nearest = weights.map((w, i) => Math.round(w / (scale[Math.floor(i / DEPTH)] as number)));
    const spread = gptq({ weights, depth: DEPTH, products: h }, scale, 4);
    assert.ok(error(spread, scale) < 0.5 * error(nearest, scale));
  });

  test("nibbles: the first in the low half", () => {
    assert.deepEqual([...packNibbles(Int8Array.of(1, -2, 7))], [0xe1, 0x07]);
  });
});

describe("learned rounding", () => {
  const scale = [0.21, 0.3, 0.25, 0.4];
  const rows = { weights, depth: DEPTH, products: h };

  test("is nearly as good as the best of all ways to round up and down", () => {
    const found = adaround(rows, scale, 4);
    for (const [o, s] of scale.entries()) {
      let least = Infinity;
      for (let ups = 0; ups < 2 ** DEPTH; ups++) {
        const tried = Array.from(weights, (w, i) => {
          const low = Math.min(Math.max(Math.floor(w / s), -7), 6);
          return low + ((ups >> (i % DEPTH)) & 1);
        });
        least = Math.min(least, error(tried, scale, [o]));
      }
      assert.ok(error(found, scale, [o]) <= 1.1 * least, `row ${o}: ${error(found, scale, [o])}, best ${least}`);
    }
  });

  test("is never worse than GPTQ, stays in its range and gives the same again", () => {
    const found = adaround(rows, scale, 4);
    const spread = gptq(rows, scale, 4);
    for (const o of [0, 1, 2, 3]) assert.ok(error(found, scale, [o]) <= error(spread, scale, [o]) + 1e-9);
    assert.ok(found.every((q) => Math.abs(q) <= 7));
    assert.deepEqual(adaround(rows, scale, 4), found);
  });
});

describe("equalization", { skip }, () => {
  test("keeps the function and evens out the channels", async () => {
    const float = prepareFloat(model("digits_f32.tflite"));
    const layers = layersOf(float);
    const pairs = pairsOf(float, layers);
    assert.equal(pairs.length, layers.length - 2, "all but the last convolution and the dense layer");
    const samples = digits(0, 40);
    const between = pairs.map(({ first }) => first.y);
    const { channels, of } = await measureRanges(float, dataset(samples), undefined, between);
    const { graph, ranges } = equalize(float, layers, channels);
    const [a, b] = [await openRunner(float), await openRunner(graph)];
    for (const { inputs } of samples) {
      const [expected, found] = [a.run(inputs)[0], b.run(inputs)[0]] as [Float32Array, Float32Array];
      for (const [i, value] of found.entries()) assert.ok(Math.abs(value - (expected[i] as number)) < 1e-4);
    }
    for (const each of [a, b]) each.close();
    const again = await measureRanges(graph, dataset(samples));
    for (const id of between) {
      const [told, is] = [ranges.get(id), again.of.get(id)];
      assert.ok(Math.abs((told?.max ?? 0) - (is?.max ?? 1)) < 1e-3 * (is?.max ?? 0));
      assert.ok((is?.max ?? 7) <= 6.0001 && (of.get(id)?.max ?? 7) <= 6.0001);
    }
    const unevenness = (g: typeof graph) =>
      layersOf(g)
        .filter(({ node }) => node.kind === "depthwiseConv2d")
        .map(({ w, channels: count }) => {
          const values = floatsOf(g.tensors[w] as never);
          const sizes = Array.from({ length: count }, (_, c) =>
            values.reduce((most, value, i) => (i % count === c ? Math.max(most, Math.abs(value)) : most), 0),
          ).sort((x, y) => x - y);
          return (sizes.at(-1) as number) / (sizes[count >> 1] as number);
        })
        .reduce((x, y) => x + y);
    assert.ok(unevenness(graph) < unevenness(float), "depthwise channels are more alike");
  });
});
