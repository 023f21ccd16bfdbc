/** Operators that TFLite's kernels have of int8 and not of int16: with int16 activations they stay on floats. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TensorId } from "../../bindings/graph.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { nearness, normalSamples, WIDTH } from "./support/nearness.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const { samples, data } = normalSamples();
const none = { activation: "none" } as const;

/** An operator between two layers. */
function network(make: (to: Builder, x: TensorId) => TensorId) {
  const to = buildNetwork([1, WIDTH], 6);
  const dense = (x: TensorId) =>
    to.node("fullyConnected", [x, to.weights([WIDTH, WIDTH], 0.7)], { ...none, keepDims: false });
  return to.graph(dense(make(to, dense(to.input))));
}

for (const [kind, make] of [
  ["prelu", (to: Builder, x: TensorId) => to.node("prelu", [x, to.floats(0.25)], {})],
  ["squaredDifference", (to: Builder, x: TensorId) => to.node("squaredDifference", [x, to.floats(0.5)], {})],
] as const)
  test(`${kind}: integers of int8, floats of int16`, async () => {
    const float = network(make);
    assert.deepEqual((await quantize(float, data, { activations: "int8" })).floats, []);
    const { graph, floats } = await quantize(float, data, { activations: "int16" });
    assert.deepEqual(floats, [kind]);
    const near = await nearness(float, graph, samples);
    assert.ok(near > 30, `${near} dB`);
  });
