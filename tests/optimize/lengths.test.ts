/** Rows divided by their length in several steps are L2_NORMALIZATION: what trains, quantizes and judges sees an embedding. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { nameLengths } from "../../bindings/optimize/prepare/lengths.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { goalOf } from "../../bindings/optimize/train/objective.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { nearness } from "./support/nearness.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const none = { activation: "none" } as const;
const random = randomOf(3);
const samples = Array.from({ length: 40 }, () => [Float32Array.from({ length: 8 }, () => random.normal())]);
const data = {
  size: samples.length,
  async *[Symbol.asyncIterator]() {
    for (const inputs of samples) yield { inputs, label: 0 };
  },
};

function network(end: (to: Builder, x: TensorId) => TensorId): Graph {
  const to = buildNetwork([1, 8], 5);
  const x = to.node("fullyConnected", [to.input, to.weights([16, 8]), to.weights([16])], { ...none, keepDims: false });
  return to.graph(end(to, x));
}

const kept = { keepDims: true };
const squares = {
  mul: (to: Builder, x: TensorId) => to.node("mul", [x, x], none),
  square: (to: Builder, x: TensorId) => to.node("square", [x], {}),
  pow: (to: Builder, x: TensorId) => to.node("pow", [x, to.floats(2)], {}),
};
const sum = (to: Builder, x: TensorId, by: keyof typeof squares = "mul", axis = 1) =>
  to.node("sum", [squares[by](to, x), to.integers(axis)], kept);

/** As PyTorch's exporters write `normalize`, `x / x.norm()`, and `x * rsqrt(…)`. */
const forms: Readonly<Record<string, (to: Builder, x: TensorId) => TensorId>> = {
  "x / max(|x|, 1e-12), repeated": (to, x) => {
    const length = to.node("maximum", [to.floats(1e-12), to.node("sqrt", [sum(to, x)], {})], {});
    const most = to.node("minimum", [length, to.floats(3e38)], {});
    return to.node("div", [x, to.node("broadcastTo", [most, to.integers(1, 16)], {})], none);
  },
  "x / |x|": (to, x) => to.node("div", [x, to.node("sqrt", [sum(to, x, "square", -1)], {})], none),
  "rsqrt(Σ x² + 1e-12) · x": (to, x) => {
    const power = to.node("add", [sum(to, x, "pow"), to.floats(1e-12)], none);
    return to.node("mul", [to.node("rsqrt", [power], {}), x], none);
  },
  "x · (1 / |x|)": (to, x) =>
    to.node("mul", [x, to.node("div", [to.floats(1), to.node("sqrt", [sum(to, x)], {})], none)], none),
};

describe("lengths of rows", () => {
  for (const [name, end] of Object.entries(forms))
    test(`${name} is one operator`, async () => {
      const graph = network(end);
      const named = nameLengths(graph);
      assert.deepEqual(
        named.nodes.map(({ kind }) => kind),
        ["fullyConnected", "l2Normalization"],
      );
      assert.ok((await nearness(graph, named, samples)) > 120);
      assert.equal(goalOf(graph).objective, "embeddings");
      const int8 = await quantize(graph, data);
      assert.ok(int8.graph.nodes.some(({ kind }) => kind === "l2Normalization"));
      const { model, agreement, outputs } = await evaluate(int8.graph, data, { against: graph, layerSamples: 0 });
      assert.equal(model.classes, undefined, "an embedding has no scores of classes");
      assert.equal(agreement, undefined);
      assert.ok((outputs?.cosine ?? 0) > 0.99);
    });

  const others: typeof forms = {
    "an offset that counts": (to, x) =>
      to.node("div", [x, to.node("sqrt", [to.node("add", [sum(to, x), to.floats(0.1)], none)], {})], none),
    "the length of something else": (to, x) =>
      to.node("div", [x, to.node("sqrt", [sum(to, to.node("tanh", [x], {}))], {})], none),
  };
  for (const [name, end] of Object.entries(others))
    test(`${name} stays as it is`, () => {
      const graph = network(end);
      assert.equal(nameLengths(graph), graph);
      assert.equal(goalOf(graph).objective, "classes");
    });
});
