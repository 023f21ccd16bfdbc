/** Recurrent layers of .onnx files, which are read as their steps, as loops of .tflite files. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import { bodiesOf, type Graph, type TensorId } from "../../../bindings/graph.ts";
import { quantize } from "../../../bindings/optimize/quantize/quantize.ts";
import { B, CASES, type Case, I, LINEAR, layerOf, noise, outputsOf, T } from "./recurrent.ts";

const loopsOf = ({ nodes }: Graph) => nodes.filter(({ kind }) => kind === "while");
const isNear = (found: Awaited<ReturnType<typeof outputsOf>>, expected: typeof found, by = 1e-5) => {
  assert.equal(found.length, expected.length);
  for (const [o, values] of expected.entries())
    for (const [i, value] of values.entries()) {
      const own = found[o]?.[i] as number;
      assert.ok(Math.abs(own - value) < by, `output ${o}, ${i}: ${own}, not ${value}`);
    }
};

describe("layers that were read as their steps", () => {
  for (const each of CASES)
    test(`${JSON.stringify(each)}: a loop for each direction`, async () => {
      const graph = importModel(layerOf(each), {});
      const written = importModel(writeTflite(graph), {});
      assert.equal(loopsOf(written).length, each.steps === 1 ? 0 : (each.directions ?? 1));
      for (const seed of [7, 8]) isNear(await outputsOf(written, seed), await outputsOf(graph, seed));
    });

  test("a file does not grow by more steps", () => {
    const bytes = (steps: number) => writeTflite(importModel(layerOf({ operator: "LSTM", steps }), {})).length;
    assert.ok(bytes(60) < bytes(6) + 256, `${bytes(6)} and ${bytes(60)} bytes`);
  });

  test("a state within the sequence is taken from those of all steps", async () => {
    const graph = importModel(layerOf({ operator: "LSTM", rest: { string: { direction: "reverse" } } }), {});
    const states = graph.nodes.filter(({ kind }) => kind === "tanh").map(({ where }) => where);
    assert.ok(states.length > 0);
    const products = graph.nodes.filter(({ kind, inputs }) => kind === "mul" && inputs.length === 2);
    const inner = products.at(-4)?.outputs[0] as TensorId;
    const read = { ...graph, outputs: [...graph.outputs, { name: "inner", tensor: inner }] };
    const written = importModel(writeTflite(read), {});
    assert.equal(loopsOf(written).length, 1);
    isNear(await outputsOf(written), await outputsOf(read));
  });

  const examples = {
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 24; i++) yield { inputs: [Float32Array.from(noise(T * B * I, i))] };
    },
  };
  const quantized: readonly Case[] = [
    { operator: "LSTM", directions: 2 },
    { operator: "GRU", rest: LINEAR },
    { operator: "RNN" },
  ];
  for (const each of quantized)
    test(`${each.operator} quantized with examples: int8 weights, floats from step to step`, async () => {
      const graph = importModel(layerOf(each), {});
      const { graph: small } = await quantize(graph, examples);
      const written = importModel(writeTflite(small), {});
      const bodies = loopsOf(written).map((node) => bodiesOf(node)[1] as Graph);
      assert.equal(bodies.length, each.directions ?? 1);
      for (const { nodes, tensors } of bodies) {
        const [product, ...others] = nodes.filter(({ kind }) => kind === "fullyConnected");
        assert.equal(others.length, 0);
        const [x, w] = (product?.inputs ?? []).map((id) => tensors[id]?.dtype);
        assert.deepEqual([x, w], ["float32", "int8"]);
      }
      isNear(await outputsOf(written), await outputsOf(small));
      isNear(await outputsOf(written), await outputsOf(graph), 0.02);
    });
});
