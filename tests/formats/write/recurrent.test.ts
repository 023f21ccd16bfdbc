/** Recurrent layers of .onnx files, which are read as their steps, as layers of .onnx again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { readModel } from "../../../bindings/formats/onnx/proto.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import type { AnyNode, TensorId } from "../../../bindings/graph.ts";
import { quantize } from "../../../bindings/optimize/quantize/quantize.ts";
import type { Tensor } from "../../../bindings/tensor.ts";
import { buildOnnx, floats, type NodeSpec } from "../build-onnx.ts";
import { B, H, I, noise, operatorsOf, outputsOf, T } from "./recurrent.ts";

interface Case {
  readonly operator: "LSTM" | "GRU" | "RNN";
  readonly rest?: Partial<NodeSpec>;
  readonly directions?: 1 | 2;
  /** Further inputs of the layer: states that the caller gives, lengths. */
  readonly states?: readonly string[];
  readonly outputs?: readonly string[];
  readonly steps?: number;
}

/** A network of one layer of x `[T, B, I]`. */
function layerOf({ operator, rest, directions = 1, states = [], outputs = ["y"], steps = T }: Case) {
  const gates = { LSTM: 4, GRU: 3, RNN: 1 }[operator];
  const sizes: readonly (readonly [string, readonly number[]])[] = [
    ["W", [directions, gates * H, I]],
    ["R", [directions, gates * H, H]],
    ["B", [directions, 2 * gates * H]],
  ];
  const state = (name: string) => ({ name, dims: [directions, B, H] });
  return buildOnnx({
    nodes: [
      {
        operator,
        inputs: ["x", "W", "R", "B", ...(states.length > 0 ? ["", ...states] : [])],
        outputs,
        ...rest,
        int: { hidden_size: H, ...rest?.int },
        ...(directions === 2 && { string: { direction: "bidirectional" } }),
      },
    ],
    inputs: [{ name: "x", dims: [steps, B, I] }, ...states.map(state)],
    outputs: outputs.filter((name) => name !== "").map((name) => ({ name })),
    initializers: sizes.map(([name, dims], i) =>
      floats(
        name,
        dims,
        noise(
          dims.reduce((a, b) => a * b, 1),
          i + 2,
        ),
      ),
    ),
  });
}

describe("layers that were read as their steps", () => {
  const linear = { int: { linear_before_reset: 1 } };
  const cases: readonly Case[] = [
    { operator: "LSTM" },
    { operator: "LSTM", outputs: ["y", "h", "c"], states: ["h0", "c0"] },
    { operator: "LSTM", rest: { string: { direction: "reverse" } }, outputs: ["", "h"] },
    { operator: "LSTM", directions: 2, outputs: ["y", "h", "c"] },
    { operator: "LSTM", steps: 1, states: ["h0", "c0"], outputs: ["", "h", "c"] },
    { operator: "GRU", rest: linear, states: ["h0"], outputs: ["y", "h"] },
    { operator: "GRU", rest: linear, directions: 2 },
    { operator: "GRU" },
    { operator: "RNN", outputs: ["y", "h"] },
    { operator: "RNN", rest: { strings: { activations: ["Relu"] } } },
    { operator: "RNN", rest: { strings: { activations: ["Sigmoid"] } } },
    { operator: "RNN", rest: { strings: { activations: ["Relu", "Relu"] } }, directions: 2 },
  ];
  for (const each of cases)
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
    const graph = importModel(layerOf({ operator: "GRU", rest: linear }), {});
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
        const graph = importModel(layerOf({ operator, rest: operator === "GRU" ? linear : {} }), {});
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
        assert.equal(
          said.some((each) => each.includes(`${operator} keeps integer weights`)),
          data !== undefined,
        );
        const [expected = []] = await outputsOf(graph);
        const [found = []] = await outputsOf(importModel(bytes, {}));
        for (const [i, value] of expected.entries())
          assert.ok(Math.abs(value - (found[i] as number)) < 0.02, `${i}: ${found[i]}, not ${value}`);
      });
});
