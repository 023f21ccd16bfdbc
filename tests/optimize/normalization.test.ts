/** Features of many sizes that a network brings to one size itself: that stays float where the input is, and one scale for all of them would tell little. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { buildNetwork } from "./support/networks.ts";

const none = { activation: "none" } as const;
const WIDTH = 8;

/** Inputs of these sizes, brought to size 1, and a dense layer. */
function made(sizes: readonly number[], divides: boolean) {
  const random = randomOf(2);
  const samples = Array.from({ length: 80 }, () => ({
    inputs: [Float32Array.from({ length: WIDTH }, (_, i) => (sizes[i] as number) * (1 + random.normal()))],
  }));
  const to = buildNetwork([1, WIDTH], 6);
  const centred = to.node("sub", [to.input, to.floats(...sizes)], none);
  const even = divides
    ? to.node("div", [centred, to.floats(...sizes)], none)
    : to.node("mul", [to.floats(...sizes.map((size) => 1 / size)), centred], none);
  const dense = [even, to.weights([5, WIDTH], 0.7), to.weights([5])] as const;
  return {
    graph: to.graph(to.node("fullyConnected", dense, { ...none, keepDims: false })),
    data: datasetOf(samples, { size: 80 }),
  };
}

describe("quantized normalization of inputs", () => {
  const many = [0.01, 0.1, 1, 10, 0.3, 3, 30, 0.05];
  const alike = [1, 1.1, 0.9, 1.2, 1, 0.8, 1, 1.1];
  for (const [divides, activations] of [
    [false, "int8"],
    [true, "int8"],
    [false, "int16"],
  ] as const)
    test(`${activations}: features of many sizes, ${divides ? "divided" : "multiplied"}: float, and near`, async () => {
      const { graph, data } = made(many, divides);
      const { graph: small, floats } = await quantize(graph, data, { activations });
      assert.deepEqual(floats, ["sub", divides ? "div" : "mul"]);
      const { outputs } = await evaluate(small, data, { against: graph });
      assert.ok((outputs?.cosine ?? 0) > 0.9995, `${outputs?.cosine}`);
    });

  test("features alike, and integer inputs: integers", async () => {
    const { graph, data } = made(alike, false);
    assert.deepEqual((await quantize(graph, data)).floats, []);
    const other = made(many, false);
    assert.deepEqual((await quantize(other.graph, other.data, { io: "int8" })).floats, []);
  });
});
