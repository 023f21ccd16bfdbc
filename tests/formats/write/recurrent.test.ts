/** Recurrent layers of .onnx files, which are read as their steps, as layers of .onnx again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { readModel } from "../../../bindings/formats/onnx/proto.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import type { AnyNode, TensorId } from "../../../bindings/graph.ts";
import { quantize } from "../../../bindings/optimize/quantize/quantize.ts";
import type { Tensor } from "../../../bindings/tensor.ts";
import { B, CASES, H, I, LINEAR, layerOf, noise, operatorsOf, outputsOf, T } from "./recurrent.ts";

describe("layers that were read as their steps", () => {
  for (const each of CASES)
    test(JSON.stringify(each), async () => {
      const graph = importModel(layerOf(each), {});
      const bytes = writeOnnx(graph);
      const operators = operatorsOf(bytes);
      assert.deepEqual(
        operators.filter((operator) => !/Reshape|Identity|Slice|Concat/.test(operator)),
        [each.operator],
      );
      assert.deepEqual(await outputsOf(importModel(bytes, {})), await outputsOf(graph));
    });

  test("a state within the sequence that is read, too, is a part of the layer's", async () => {
    const graph = importModel(layerOf({ operator: "GRU", rest: LINEAR }), {});
    const states = graph.nodes.filter(
      ({ kind, outputs: [y] }) => kind === "add" && `${graph.tensors[y as TensorId]?.shape}` === `${[B, H]}`,
    );
    const read = {
      ...graph,
      outputs: [...graph.outputs, { name: "inner", tensor: states.at(-3)?.outputs[0] as TensorId }],
    };
    const bytes = writeOnnx(read);
    assert.ok(!operatorsOf(bytes).includes("Sigmoid"));
    assert.deepEqual(await outputsOf(importModel(bytes, {})), await outputsOf(read));
  });

  test("steps of which something else is read stay, beside the layer", async () => {
    const graph = importModel(layerOf({ operator: "LSTM" }), {});
    const gate = graph.nodes.find(({ kind }) => kind === "logistic");
    const read = { ...graph, outputs: [...graph.outputs, { name: "gate", tensor: gate?.outputs[0] as TensorId }] };
    const bytes = writeOnnx(read);
    assert.equal(operatorsOf(bytes).filter((operator) => operator === "LSTM").length, 1);
    assert.ok(operatorsOf(bytes).includes("Sigmoid"));
    assert.deepEqual(await outputsOf(importModel(bytes, {})), await outputsOf(read));
  });

  test("steps that differ in their weights are no layer", async () => {
    const graph = importModel(layerOf({ operator: "RNN" }), {});
    const products = graph.nodes.filter(({ kind }) => kind === "fullyConnected");
    const [, , second] = products as readonly AnyNode[];
    const id = second?.inputs[1] as TensorId;
    const other = { ...(graph.tensors[id] as Tensor), data: new Uint8Array(Float32Array.from(noise(H * H, 9)).buffer) };
    const tensors = [...graph.tensors, other];
    const nodes = graph.nodes.map((node) =>
      node === second
        ? { ...node, inputs: node.inputs.map((each, i) => (i === 1 ? ((tensors.length - 1) as TensorId) : each)) }
        : node,
    ) as readonly AnyNode[];
    const changed = { ...graph, tensors, nodes };
    const bytes = writeOnnx(changed);
    assert.deepEqual(await outputsOf(importModel(bytes, {})), await outputsOf(changed));
    assert.notDeepEqual(await outputsOf(changed), await outputsOf(graph));
  });

  const examples = {
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 24; i++) yield { inputs: [Float32Array.from(noise(T * B * I, i))] };
    },
  };
  for (const operator of ["LSTM", "GRU", "RNN"] as const)
    for (const [way, data] of [
      ["with examples", examples],
      ["without", undefined],
    ] as const)
      test(`${operator} quantized ${way}: weights of int8 in one layer`, async () => {
        const graph = importModel(layerOf({ operator, rest: operator === "GRU" ? LINEAR : {} }), {});
        const said: string[] = [];
        const { graph: small } = await quantize(graph, data, { correction: "none" });
        const bytes = writeOnnx(small, { onWarning: (message) => said.push(message) });
        const stored = readModel(bytes).graph?.initializers ?? [];
        const gates = { LSTM: 4, GRU: 3, RNN: 1 }[operator];
        const weights = stored
          .filter(({ name }) => name === "W" || name === "R")
          .map(({ dims, dataType }) => [dataType, ...dims]);
        assert.deepEqual(weights, [
          [3, gates * H, I],
          [3, gates * H, H],
        ]);
        assert.equal(operatorsOf(bytes).filter((each) => each === operator).length, 1);
        // Steps were floats before, too.
        assert.ok(!said.some((each) => each.includes("keeps integer weights")));
        const [expected = []] = await outputsOf(graph);
        const [found = []] = await outputsOf(importModel(bytes, {}));
        for (const [i, value] of expected.entries())
          assert.ok(Math.abs(value - (found[i] as number)) < 0.02, `${i}: ${found[i]}, not ${value}`);
      });
});
