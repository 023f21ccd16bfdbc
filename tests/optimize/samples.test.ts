/** Networks that speak of their one sample, run with several: the same numbers as one by one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TensorId } from "../../bindings/graph.ts";
import { openRunner } from "../../bindings/optimize/run.ts";
import { openBatched } from "../../bindings/optimize/tap.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const BATCH = 3;
const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 } as const;
const none = { activation: "none" } as const;

const CASES: Readonly<Record<string, (to: Builder, x: TensorId) => TensorId>> = {
  "a strided slice that names the sample": (to, x) =>
    to.node("stridedSlice", [x, to.integers(0, 1, 0), to.integers(1, 4, 6), to.integers(1, 2, 1)], masks),
  "a slice of one sample": (to, x) => to.node("slice", [x, to.integers(0, 1, 2), to.integers(1, 3, 4)], {}),
  "a dense layer that flattens, and what is added to it": (to, x) => {
    const dense = [x, to.weights([6, 6]), to.weights([6])] as const;
    return to.node("add", [x, to.node("fullyConnected", dense, { ...none, keepDims: false })], none);
  },
  "rows that lost their sample, subtracted from those that did not": (to, x) =>
    to.node("sub", [to.node("reshape", [x], { shape: [5, 6] }), to.node("tanh", [x], {})], none),
  "a constant joined to each": (to, x) => to.node("concat", [to.weights([1, 2, 6]), x], { axis: 1, ...none }),
  "a transposed convolution": (to, x) => {
    const picture = to.node("reshape", [x], { shape: [1, 5, 1, 6] });
    const inputs = [to.integers(1, 10, 2, 4), to.weights([4, 3, 3, 6]), picture];
    return to.node("transposeConv", inputs, { stride: [2, 2], padding: "same", ...none });
  },
  "a repetition": (to, x) => {
    const row = to.node("mean", [x, to.integers(1)], { keepDims: true });
    return to.node("broadcastTo", [row, to.integers(1, 5, 6)], {});
  },
  "steps before the sample, taken apart and put together": (to, x) => {
    const two = to.node("slice", [x, to.integers(0, 1, 0), to.integers(1, 2, 6)], {});
    const first = to.node("reshape", [two], { shape: [2, 1, 6] });
    const [a, b] = to.nodes("unpack", 2, [first], { axis: 0, count: 2 });
    return to.node("reshape", [to.node("pack", [b, to.node("neg", [a], {})], { axis: 0 })], { shape: [1, 2, 6] });
  },
  "layer normalization": (to, x) => to.node("layerNorm", [x, to.weights([6])], { dimensions: 1, epsilon: 1e-5 }),
  "a product by one constant matrix": (to, x) =>
    to.node("batchMatMul", [x, to.weights([1, 6, 4])], { adjointA: false, adjointB: false }),
};

describe("samples of a batch", () => {
  for (const [name, middle] of Object.entries(CASES))
    test(name, async () => {
      const to = buildNetwork([1, 5, 6], 3);
      const graph = to.graph(to.node("tanh", [middle(to, to.node("relu", [to.input], {}))], {}));
      const random = randomOf(9);
      const input = Float32Array.from({ length: BATCH * 30 }, () => random.normal());
      const one = await openRunner(graph);
      const { session, batch } = await openBatched(graph, BATCH);
      try {
        assert.equal(batch, BATCH);
        const [all] = Object.values(session.run([input])) as [Float32Array];
        const each = Array.from({ length: BATCH }, (_, i) => [
          ...(one.run([input.subarray(i * 30, (i + 1) * 30)])[0] as Float32Array),
        ]);
        assert.deepEqual([...all], each.flat());
      } finally {
        one.close();
        session.close();
      }
    });
});
