/** Transposed convolutions, as networks that give pictures have them: quantized as other layers are. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import type { QuantizeOptions } from "../../bindings/optimize/quantize/options.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { buildNetwork } from "./support/networks.ts";

const one = [1, 1] as const;
const plain = { stride: one, dilation: one, padding: "same" } as const;

/** A convolution, a transposed one of twice the size, a factor and a summand a channel or a bias, and a convolution. */
function network(affine: boolean): Graph {
  const to = buildNetwork([1, 6, 6, 3], 4);
  const x = to.node("conv2d", [to.input, to.weights([8, 3, 3, 3], 0.3), to.weights([8])], {
    ...plain,
    activation: "relu6",
  });
  const inputs = [to.integers(1, 12, 12, 6), to.weights([6, 3, 3, 8], 0.2), x] as readonly TensorId[];
  const options = { stride: [2, 2], padding: "same", activation: "none" } as const;
  const y = affine
    ? to.node(
        "add",
        [
          to.node("mul", [to.node("transposeConv", inputs, options), to.weights([6])], { activation: "none" }),
          to.weights([6]),
        ],
        { activation: "relu" },
      )
    : to.node("transposeConv", [...inputs, to.weights([6])], options);
  return to.graph(to.node("conv2d", [y, to.weights([2, 1, 1, 6]), to.weights([2])], { ...plain, activation: "none" }));
}

const random = randomOf(3);
const samples = Array.from({ length: 40 }, () => ({
  inputs: [Float32Array.from({ length: 108 }, () => random.normal())],
}));
const data = () => datasetOf(samples, { size: samples.length });

const CHOICES: Readonly<Record<string, QuantizeOptions>> = {
  int8: {},
  "one scale a tensor": { scales: "tensor" },
  "int4, which they have no form of": { weights: "int4", layers: { "*": { weights: "int4" } } },
  "int16 activations": { activations: "int16" },
};

describe("transposed convolutions", () => {
  for (const [name, options] of Object.entries(CHOICES))
    for (const affine of [false, true])
      test(`${name}${affine ? ", with a factor behind" : ""}: integers, and near`, async () => {
        const graph = network(affine);
        const { graph: small, floats, layers } = await quantize(graph, data(), options);
        assert.deepEqual(floats, []);
        assert.equal(layers.length, 3);
        assert.ok(!small.nodes.some(({ kind }) => kind === "mul" || kind === "add"));
        const { outputs } = await evaluate(small, data(), { against: graph, layerSamples: 0 });
        assert.ok((outputs?.cosine ?? 0) > (name.startsWith("int4") ? 0.97 : 0.999), `${outputs?.cosine}`);
      });

  for (const weights of ["int8", "float16"] as const)
    test(`${weights} weights alone`, async () => {
      const graph = network(false);
      const { graph: small, layers } = await quantize(graph, undefined, { weights });
      assert.equal(layers.length, 3);
      const { outputs } = await evaluate(small, data(), { against: graph, layerSamples: 0 });
      assert.ok((outputs?.cosine ?? 0) > 0.999, `${outputs?.cosine}`);
    });
});
