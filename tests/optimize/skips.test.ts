/** Outputs that the network's input is part of itself: what brings it there stays float, and what layers give has a scale of its own. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { nearness } from "./support/nearness.ts";
import { buildNetwork } from "./support/networks.ts";

const WIDTH = 8;
const none = { activation: "none" } as const;

/** Rows of very different sizes; `ends` puts the output together of the input, its mean, and what two layers make of the rest. */
function made(ends: "level" | "sum" | "masked" | "inside") {
  const random = randomOf(5);
  const samples = Array.from({ length: 120 }, () => {
    const level = 10 ** (3 * random.uniform());
    return [Float32Array.from({ length: WIDTH }, () => level * (1 + 0.1 * random.normal()))];
  });
  const to = buildNetwork([1, WIDTH], 6);
  const dense = (x: number, activation = "none", size = 0.5) =>
    to.node("fullyConnected", [x as never, to.weights([WIDTH, WIDTH], size), to.weights([WIDTH])], {
      ...{ activation: activation as never, keepDims: false },
    });
  const mean = to.node("mean", [to.input, to.integers(1)], { keepDims: true });
  const rest = to.node("div", [to.node("sub", [to.input, mean], none), mean], none);
  const inner = dense(dense(rest, "relu"));
  const y = {
    level: () => to.node("add", [to.node("mul", [inner, mean], none), mean], none),
    sum: () => to.node("sub", [to.input, inner], none),
    masked: () => to.node("relu", [to.node("mul", [to.node("logistic", [inner], {}), to.input], none)], {}),
    inside: () => dense(to.node("add", [rest, inner], none)),
  }[ends]();
  const data = datasetOf(
    samples.map((inputs) => ({ inputs })),
    { size: samples.length },
  );
  return { graph: to.graph(y), samples, data };
}

describe("quantized outputs that the input is part of", () => {
  for (const [ends, least] of [
    ["level", 43],
    ["sum", 70],
    ["masked", 46],
  ] as const)
    test(`${ends}: float where they are put together, integers in the layers`, async () => {
      const { graph, samples, data } = made(ends);
      const { graph: small, layers } = await quantize(graph, data);
      assert.ok(layers.every(({ activations }) => activations === "int8"));
      const near = await nearness(graph, small, samples);
      assert.ok(near > least, `${near} dB`);
    });

  test("inside of the network, or with integer ends: integers", async () => {
    const inside = made("inside");
    const { floats } = await quantize(inside.graph, inside.data);
    assert.ok(!floats.includes("add"), `${floats}`);
    const end = made("sum");
    const { graph } = await quantize(end.graph, end.data, { io: "int8" });
    const last = graph.nodes.find(({ outputs }) => outputs[0] === graph.outputs[0]?.tensor);
    assert.equal(last?.kind, "sub");
    assert.equal(graph.tensors[last?.inputs[1] as number]?.dtype, "int8");
  });
});
