/** Biases and weights of quantized layers: shared, left out, and corrected. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Graph, NONE, type TensorId } from "../../bindings/graph.ts";
import type { Sample } from "../../bindings/optimize/data/types.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { type QuantizeOptions, quantize } from "../../bindings/public/optimize.ts";
import { dataset } from "./support/digits.ts";
import { buildNetwork } from "./support/networks.ts";

const samples = Array.from(
  { length: 20 },
  (_, i): Sample => ({
    inputs: [Float32Array.from({ length: 8 }, (_, k) => Math.sin((i + 1) * 12.9898 + k * 78.233) * 2)],
  }),
);

/** Two dense layers of 8 that share weights and, where one is given, a bias. */
function twice(bias: (to: ReturnType<typeof buildNetwork>) => TensorId): Graph {
  const to = buildNetwork([1, 8], 5);
  const inputs = [to.weights([8, 8]), bias(to)];
  const dense = (x: TensorId) => to.node("fullyConnected", [x, ...inputs], { activation: "relu", keepDims: false });
  return to.graph(dense(dense(to.input)));
}

/** Mean distance of the quantized network's outputs. */
async function away(float: Graph, options: QuantizeOptions = {}): Promise<number> {
  const { graph } = await quantize(float, dataset(samples), options);
  return (await evaluate(graph, dataset(samples), { against: float, layerSamples: 0 })).outputs?.meanError ?? NaN;
}

describe("quantized layers", () => {
  test("of the same weights, as a cell's steps are, share them; a bias that is 0 is left out", async () => {
    for (const [bias, absent] of [
      [() => NONE, true],
      [(to: ReturnType<typeof buildNetwork>) => to.weights([8]), false],
    ] as const) {
      const { graph } = await quantize(twice(bias), dataset(samples), { correction: "none" });
      const [first, second] = graph.nodes.filter(({ kind }) => kind === "fullyConnected").map(({ inputs }) => inputs);
      assert.equal(first?.[1], second?.[1]);
      assert.equal(first?.[2] === NONE, absent);
      assert.equal(first?.[2] === second?.[2], absent); // others are of other scales
      assert.ok((await away(twice(bias))) < 0.1);
    }
  });

  test("have biases that make up for what rounding does to means, where outputs come nearer by it", async () => {
    const { tensors, ...rest } = twice((to) => to.weights([8], 0));
    // Weights a little above the middle between two steps, but for those that set the scale: rounding makes them all larger.
    const row = Float32Array.from({ length: 64 }, (_, i) => (i % 8 === 0 ? 127 : 10.55));
    const data = new Uint8Array(row.buffer);
    const float = { ...rest, tensors: tensors.map((each) => (each.shape.join() === "8,8" ? { ...each, data } : each)) };
    const [before, after] = [await away(float, { correction: "none" }), await away(float)];
    assert.ok(after < 0.9 * before, `${before} to ${after}`);
    assert.equal(after, await away(float, { correction: "bias" }));
  });
});
