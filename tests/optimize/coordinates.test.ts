/** What no scale of 256 steps holds stays float or leaves the scale alone: coordinates, bounds of everything, changed signs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { openRunner } from "../../bindings/optimize/run.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const none = { activation: "none" } as const;
const random = randomOf(11);
const samples = Array.from({ length: 50 }, () => ({
  inputs: [Float32Array.from({ length: 8 }, () => 2 * random.normal())],
}));

const network = (end: (to: Builder, x: TensorId) => TensorId): Graph => {
  const to = buildNetwork([1, 8], 3);
  const sums = to.node("fullyConnected", [to.input, to.weights([8, 8]), to.weights([8])], { ...none, keepDims: false });
  return to.graph(end(to, sums));
};

/** The largest difference of the outputs, as a share of the largest output. */
async function apart(graph: Graph, other: Graph): Promise<number> {
  const runners = [await openRunner(graph), await openRunner(other)];
  let [difference, largest] = [0, 0];
  for (const { inputs } of samples) {
    const [a, b] = runners.map((each) => Array.from(each.run(inputs)[0] as Float32Array)) as [number[], number[]];
    for (const [i, value] of a.entries()) {
      difference = Math.max(difference, Math.abs(value - (b[i] as number)));
      largest = Math.max(largest, Math.abs(value));
    }
  }
  for (const each of runners) each.close();
  return difference / largest;
}

const kindsOf = (graph: Graph, dtype: string) =>
  graph.nodes.filter(({ outputs: [y] }) => graph.tensors[y as TensorId]?.dtype === dtype).map(({ kind }) => kind);

describe("quantized to int8", () => {
  test("a pixel of 500 and the share of its neighbour are computed in floats, the layer is not", async () => {
    const sampled = network((to, x) => {
      const place = to.node(
        "mul",
        [to.node("add", [to.node("tanh", [x], {}), to.floats(1)], none), to.floats(250)],
        none,
      );
      const whole = to.node("floor", [place], {});
      return to.node("square", [to.node("sub", [place, whole], none)], {});
    });
    const { graph } = await quantize(sampled, datasetOf(samples));
    assert.deepEqual(
      kindsOf(graph, "int8").filter((kind) => kind !== "quantize"),
      ["fullyConnected", "tanh"],
    );
    assert.ok(kindsOf(graph, "float32").includes("sub"));
  });

  test("a bound that bounds nothing leaves the scale alone", async () => {
    for (const bound of [3.4028234663852886e38, 1000]) {
      const bounded = network((to, x) =>
        to.node("tanh", [to.node("minimum", [to.node("maximum", [x, to.floats(-1)], {}), to.floats(bound)], {})], {}),
      );
      const { graph } = await quantize(bounded, datasetOf(samples));
      assert.ok((await apart(bounded, graph)) < 0.1, `${bound}`);
      assert.equal(kindsOf(graph, "int8").includes("minimum"), bound === 1000);
    }
  });

  test("a sign is a product by −1", async () => {
    const changed = network((to, x) => to.node("neg", [to.node("relu", [x], {})], {}));
    const { graph, floats } = await quantize(changed, datasetOf(samples));
    assert.deepEqual(floats, []);
    assert.ok((await apart(changed, graph)) < 0.02);
  });
});
