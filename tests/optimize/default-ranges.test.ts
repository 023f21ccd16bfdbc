/** Ranges of int8 without being asked: those of least squared error where the outputs come nearer, those measured where they do not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import type { Dataset } from "../../bindings/optimize/data/types.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { nearness } from "./support/nearness.ts";
import { buildNetwork } from "./support/networks.ts";

const WINDOW = { stride: [1, 1], dilation: [1, 1], padding: "valid", activation: "none" } as const;
const SIDE = 64;
const DEPTH = 4;
const COUNT = 60;

/** Two pointwise layers with squares, of many sizes, and TANH between them, or the first alone. */
function made(saturates: boolean) {
  const random = randomOf(8);
  const samples = Array.from({ length: COUNT }, () => [
    Float32Array.from({ length: SIDE * SIDE * DEPTH }, () => random.normal()),
  ]);
  const to = buildNetwork([1, SIDE, SIDE, DEPTH], 6);
  const layer = (x: TensorId, size: number) =>
    to.node("conv2d", [x, to.weights([DEPTH, 1, 1, DEPTH], size), to.weights([DEPTH])], WINDOW);
  const first = layer(to.input, 0.5);
  const power = to.node("mul", [first, first], { activation: "none" });
  const graph = to.graph(saturates ? layer(to.node("tanh", [layer(power, 0.1)], {}), 0.5) : power);
  return {
    graph,
    samples,
    data: datasetOf(
      samples.map((inputs) => ({ inputs })),
      { size: COUNT },
    ),
  };
}

const both = (graph: Graph, data: Dataset, activations: "int8" | "int16") =>
  Promise.all(
    [{}, { ranges: "minmax" } as const].map(
      async (each) => (await quantize(graph, data, { activations, ...each })).graph,
    ),
  ) as Promise<[Graph, Graph]>;

describe("ranges of int8", () => {
  test("whose ends the outputs hardly see: clipped, and nearer than as measured", async () => {
    const { graph, samples, data } = made(true);
    const [usual, measured] = await both(graph, data, "int8");
    const [near, less] = [await nearness(graph, usual, samples), await nearness(graph, measured, samples)];
    assert.ok(near > less + 0.7, `${near} dB, as measured ${less} dB`);
  });

  test("whose ends the outputs are: as measured", async () => {
    const { graph, data } = made(false);
    const [usual, measured] = await both(graph, data, "int8");
    assert.deepEqual(usual, measured);
  });

  test("of int16: as measured", async () => {
    const { graph, data } = made(true);
    const [usual, measured] = await both(graph, data, "int16");
    assert.deepEqual(usual, measured);
  });
});
