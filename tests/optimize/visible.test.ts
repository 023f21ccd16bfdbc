/** Scales end where readers tell no more apart: what is far below HARD_SWISH's −3, a bound behind LEAKY_RELU, masks of attention. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { nearness, normalSamples, WIDTH } from "./support/nearness.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const none = { activation: "none" } as const;
const { samples, data } = normalSamples();

/** Two dense layers and a function between them, which is given numbers around −100 and around 0, or `last` in place of the second. */
function network(middle: (to: Builder, x: TensorId) => TensorId, last?: (to: Builder, x: TensorId) => TensorId): Graph {
  const to = buildNetwork([1, WIDTH], 6);
  const far = to.floats(...Array.from({ length: WIDTH }, (_, i) => (i % 2 === 0 ? -100 : 0)));
  const dense = (x: TensorId, bias: TensorId) =>
    to.node("fullyConnected", [x, to.weights([WIDTH, WIDTH], 0.7), bias], { ...none, keepDims: false });
  const y = middle(to, dense(to.input, far));
  return to.graph(last === undefined ? dense(y, to.weights([WIDTH])) : last(to, y));
}

const swish = (to: Builder, x: TensorId) => to.node("mul", [x, to.node("logistic", [x], {})], none);
const slowSwish = (to: Builder, x: TensorId) => {
  const sixth = to.floats(1 / 6);
  const gate = to.node("relu6", [to.node("add", [x, to.floats(3)], none)], {});
  return to.node("mul", [x, to.node("mul", [gate, sixth], none)], none);
};
const bounded = (to: Builder, x: TensorId) =>
  to.node("maximum", [to.node("leakyRelu", [x], { alpha: 0.2 }), to.floats(-0.4)], {});

/** The least value that each quantized tensor of a name can have. */
const leastOf = ({ tensors }: Graph, name: string) =>
  tensors
    .filter((tensor) => tensor.name === name && tensor.dtype === "int8")
    .map(({ quantization }) => (quantization?.scale[0] ?? 0) * (-128 - (quantization?.zeroPoint[0] ?? 0)));

describe("ranges as far as readers tell values apart", () => {
  for (const [what, middle, least] of [
    ["HARD_SWISH", (to, x) => to.node("hardSwish", [x], {}), -3],
    ["RELU6(x + 3) · x", slowSwish, -3],
    ["LOGISTIC(x) · x", swish, -6.3],
    ["TANH", (to, x) => to.node("tanh", [x], {}), -3.2],
    ["MAXIMUM behind LEAKY_RELU", bounded, -2],
  ] as readonly [string, (to: Builder, x: TensorId) => TensorId, number][])
    test(`${what}: a scale that ends near ${least}, and outputs that are near`, async () => {
      const float = network(middle);
      const { graph } = await quantize(float, data, { ranges: "minmax" });
      const name = float.tensors[float.nodes[0]?.outputs[0] as TensorId]?.name as string;
      const [found = -Infinity, ...others] = leastOf(graph, name);
      assert.ok(others.length === 0 && found >= least - 0.1 && found < least / 2, `${found}`);
      const near = await nearness(float, graph, samples);
      assert.ok(near > 28, `${near} dB`);
    });

  for (const kind of ["logistic", "softmax"] as const)
    test(`${kind.toUpperCase()} gives 0 for what is far below, whatever its scale's zero point is rounded to`, async () => {
      for (const far of [-20, -40, -80]) {
        const to = buildNetwork([1, WIDTH], 6);
        const bias = to.floats(...Array.from({ length: WIDTH }, (_, i) => (i % 2 === 0 ? far : 3 * i)));
        const dense = to.node("fullyConnected", [to.input, to.weights([WIDTH, WIDTH], 0.2), bias], {
          ...none,
          keepDims: false,
        });
        const float = to.graph(to.node(kind, [dense], (kind === "softmax" ? { beta: 1 } : {}) as never));
        const { graph } = await quantize(float, data, { ranges: "minmax" });
        const { outputs } = await evaluate(graph, datasetOf(samples.map((inputs) => ({ inputs }))), {
          against: float,
          layerSamples: 0,
        });
        // Half of a step of 1/256 each is all that rounding takes.
        assert.ok((outputs?.meanError ?? 1) < 0.5 / 256, `${far}: ${outputs?.meanError}`);
      }
    });

  test("what is an output too keeps all of its range", async () => {
    const float = network((to, x) => to.node("hardSwish", [x], {}));
    const y = float.nodes[0]?.outputs[0] as TensorId;
    const { graph } = await quantize({ ...float, outputs: [...float.outputs, { name: "z", tensor: y }] }, data);
    assert.ok(leastOf(graph, float.tensors[y]?.name as string).every((least) => least < -50));
  });

  for (const activations of ["int8", "int16"] as const)
    test(`scores that a mask of products with −1e9 is added to, ${activations}: products that would overflow stay float`, async () => {
      const masked = network(
        (to, x) => {
          const kept = to.node(
            "minimum",
            [to.node("relu", [to.node("add", [x, to.floats(50)], none)], {}), to.floats(1)],
            {},
          );
          const mask = to.node("mul", [to.node("sub", [to.floats(1), kept], none), to.floats(-1e9)], none);
          return to.node("add", [to.input, mask], none);
        },
        (to, x) => to.node("softmax", [x], { beta: 1 }),
      );
      const { graph, floats } = await quantize(masked, data, { activations });
      assert.ok(floats.includes("mul"), floats.join());
      const near = await nearness(masked, graph, samples);
      assert.ok(near > (activations === "int8" ? 28 : 50), `${near} dB`);
    });

  for (const activations of ["int8", "int16"] as const)
    test(`scores that a mask of −1e38 is added to, ${activations}`, async () => {
      const masked = network(
        (to, x) => {
          const shifted = to.node("add", [x, to.floats(50)], none);
          const mask = to.node("minimum", [to.node("mul", [shifted, to.floats(1e36)], none), to.floats(0)], {});
          return to.node("add", [to.input, mask], none);
        },
        (to, x) => to.node("softmax", [x], { beta: 1 }),
      );
      const { graph } = await quantize(masked, data, { activations });
      const near = await nearness(masked, graph, samples);
      assert.ok(near > (activations === "int8" ? 28 : 50), `${near} dB`);
    });
});
