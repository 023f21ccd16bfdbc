/** Quotients: a divisor that is computed, or a constant of many sizes, is no eight bits of one scale; TFLite refuses a run where one comes to 0. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TensorId } from "../../bindings/graph.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { dataOf, nearness } from "./support/nearness.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const none = { activation: "none" } as const;
const random = randomOf(9);
const samples = Array.from({ length: 60 }, () => [Float32Array.from({ length: 48 }, () => 2 * random.normal())]);
const data = dataOf(samples);

/** Six rows of eight through layers to four numbers, by way of `quotient`. */
function network(quotient: (to: Builder, x: TensorId) => TensorId) {
  const to = buildNetwork([1, 6, 8], 6);
  const dense = (x: TensorId, width: number) =>
    to.node("fullyConnected", [x, to.weights([width, 8], 0.7), to.weights([width])], { ...none, keepDims: true });
  return to.graph(dense(quotient(to, dense(to.input, 8)), 4));
}

/** relu(x) · (relu(x)ᵀ · x), divided by relu(x) · the sum of relu(x): attention without softmax. */
function attention(to: Builder, x: TensorId): TensorId {
  const product = (a: TensorId, b: TensorId, adjointB: boolean) =>
    to.node("batchMatMul", [a, b], { adjointA: false, adjointB });
  const keys = to.node("relu", [x], {});
  const sums = to.node("sum", [keys, to.integers(1)], { keepDims: true });
  const below = to.node("add", [product(keys, sums, true), to.floats(1e-5)], none);
  const turned = to.node("transpose", [keys, to.integers(0, 2, 1)], {});
  return to.node("div", [product(keys, product(turned, x, false), false), below], none);
}

describe("quantized quotients", () => {
  for (const activations of ["int8", "int16"] as const)
    test(`of sums by sums, ${activations}: float with the products that give them, and near`, async () => {
      const float = network(attention);
      const { graph, floats } = await quantize(float, data, { activations });
      assert.deepEqual(floats, ["batchMatMul", "add", "div"]);
      const found = await nearness(float, graph, samples);
      assert.ok(found > 30, `${found} dB`);
    });

  test("by the root of means of squares of many sizes: float from the squares on, and near", async () => {
    const rows = samples.map(([x], i) => [(x as Float32Array).map((value) => value * 10 ** -(i % 3))]);
    const float = network((to, x) => {
      const means = to.node("mean", [to.node("square", [x], {}), to.integers(2)], { keepDims: true });
      return to.node("mul", [x, to.node("rsqrt", [to.node("add", [means, to.floats(1e-6)], none)], {})], none);
    });
    const { graph, floats } = await quantize(float, dataOf(rows));
    assert.deepEqual(floats, ["square", "mean", "add", "rsqrt"]);
    const found = await nearness(float, graph, rows);
    assert.ok(found > 20, `${found} dB`);
  });

  test("by constants: of many sizes float, of one size int8, and near", async () => {
    for (const [largest, floats] of [
      [1e4, ["div"]],
      [2, []],
    ] as const) {
      const sizes = Array.from({ length: 8 }, (_, i) => largest ** (i / 7));
      const float = network((to, x) => to.node("div", [x, to.floats(...sizes)], none));
      const found = await quantize(float, data);
      assert.deepEqual(found.floats, floats);
      assert.ok((await nearness(float, found.graph, samples)) > 30);
    }
  });
});
