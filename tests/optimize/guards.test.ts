/** MAXIMUM and MINIMUM as ONNX has them, with a look for NaN behind, are these alone to the tools. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { nearness, normalSamples, WIDTH } from "./support/nearness.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const { samples, data } = normalSamples();

type Fold = (to: Builder, a: TensorId, b: TensorId) => TensorId;

/** What is made of three layers over the input, two at a time, into one more. */
function network(fold: Fold): Graph {
  const to = buildNetwork([1, WIDTH], 6);
  const dense = (x: TensorId) =>
    to.node("fullyConnected", [x, to.weights([WIDTH, WIDTH])], { activation: "none", keepDims: false });
  const parts = [dense(to.input), dense(to.input), dense(to.input)];
  return to.graph(dense(parts.reduce((a, b) => fold(to, a, b))));
}

const guarded =
  (kind: "maximum" | "minimum", other = false): Fold =>
  (to, a, b) =>
    to.node("selectV2", [to.node("notEqual", [a, other ? b : a], {}), a, to.node(kind, [a, b], {})], {});

describe("a look for NaN behind an extreme", () => {
  for (const kind of ["maximum", "minimum"] as const)
    test(`${kind}: goes, and the network can be trained`, async () => {
      const float = network(guarded(kind));
      const { graph } = await quantize(float, data);
      const kinds = graph.nodes.map((node) => node.kind);
      assert.equal(kinds.filter((each) => each === kind).length, 2);
      assert.ok(!kinds.includes("selectV2") && !kinds.includes("notEqual"), kinds.join());
      assert.ok((await nearness(float, graph, samples)) > 25);
      const pruned = await prune(float, data, { sparsity: 0.2, tune: { steps: 5 } });
      assert.ok(pruned.graph.nodes.some((node) => node.kind === kind));
    });

  test("of other operands is a choice, and stays", async () => {
    const { graph } = await quantize(network(guarded("maximum", true)), data);
    assert.equal(graph.nodes.filter(({ kind }) => kind === "selectV2").length, 2);
  });
});
