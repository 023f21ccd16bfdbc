/** What is computed of constants alone is a constant; a layer over one that stays has its bias at its scale. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Graph, type TensorId, tensorOf } from "../../bindings/graph.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { nearness, normalSamples, WIDTH } from "./support/nearness.ts";
import { buildNetwork } from "./support/networks.ts";

const { samples, data } = normalSamples();
const none = { activation: "none" } as const;
const plain = { ...none, keepDims: false };

/** A layer over learned numbers, GELU of it, and what a layer over the input adds to that, which is one output; the first layer may be one too. */
function network(shown: boolean): Graph {
  const to = buildNetwork([1, WIDTH], 4);
  const dense = (x: TensorId) =>
    to.node("fullyConnected", [x, to.weights([WIDTH, WIDTH], 2), to.weights([WIDTH], 20)], plain);
  const query = dense(to.weights([1, WIDTH], 3));
  const graph = to.graph(to.node("add", [to.node("gelu", [query], { approximate: false }), dense(to.input)], none));
  return shown ? { ...graph, outputs: [...graph.outputs, { name: "query", tensor: query }] } : graph;
}

describe("what is computed of constants alone", () => {
  test("is a constant", async () => {
    const float = network(false);
    const { graph, layers } = await quantize(float, data);
    assert.deepEqual(
      graph.nodes.map(({ kind }) => kind),
      ["quantize", "fullyConnected", "dequantize"],
    );
    assert.equal(layers.length, 1);
    assert.ok((await nearness(float, graph, samples)) > 30);
  });

  test("and an output stays a layer, whose bias has the scale of its input times its weights'", async () => {
    const float = network(true);
    const { graph } = await quantize(float, data);
    const dense = graph.nodes.filter(({ kind }) => kind === "fullyConnected");
    assert.equal(dense.length, 2);
    for (const { inputs } of dense) {
      const [x, w, bias] = inputs.map((id) => tensorOf(graph, id).quantization?.scale ?? []) as number[][];
      for (const [c, scale] of (bias ?? []).entries())
        assert.ok(Math.abs(scale / ((x?.[0] ?? 0) * (w?.[c] ?? 0)) - 1) < 1e-5);
    }
    assert.ok((await nearness(float, graph, samples)) > 30);
  });

  test("is not pruned", async () => {
    for (const shown of [false, true]) {
      const float = network(shown);
      const { graph, layers } = await prune(float, data, { sparsity: 0.25 });
      assert.equal(layers.length, 1);
      assert.ok((await nearness(float, graph, samples)) > 10);
    }
  });
});
