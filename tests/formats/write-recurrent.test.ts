/** Recurrent layers as .onnx: those of .onnx files, which are read as their steps, and those of .tflite files. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../bindings/formats/index.ts";
import { readModel } from "../../bindings/formats/onnx/proto.ts";
import { writeOnnx } from "../../bindings/formats/onnx/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../bindings/graph.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { openGraph } from "../../bindings/optimize/tap.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { buildOnnx, floats, type NodeSpec } from "./build-onnx.ts";

const [T, B, I, H] = [5, 2, 3, 4];
const noise = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.fround(0.8 * Math.sin((i + seed) * (seed + 1.7))));

const operatorsOf = (bytes: Uint8Array) => (readModel(bytes).graph?.nodes ?? []).map(({ operator }) => operator);

async function outputsOf(graph: Graph, seed = 7): Promise<readonly (readonly number[])[]> {
  const session = await openGraph(graph, { module: "simd" });
  const inputs = session.inputs.map(({ shape }, i) =>
    Float32Array.from(
      noise(
        shape.reduce((a, b) => a * b, 1),
        seed + i,
      ),
    ),
  );
  const outputs = session.run(inputs as never);
  const found = session.outputs.map(({ name }) => Array.from(outputs[name] as ArrayLike<number>, Number));
  session.close();
  return found;
}

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
          said.some((each) => each.includes(`${operator} keeps its integer weights`)),
          data !== undefined,
        );
        const [expected = []] = await outputsOf(graph);
        const [found = []] = await outputsOf(importModel(bytes, {}));
        for (const [i, value] of expected.entries())
          assert.ok(Math.abs(value - (found[i] as number)) < 0.02, `${i}: ${found[i]}, not ${value}`);
      });
});

const real = (name: string, shape: readonly number[], seed: number): Tensor => {
  const values = noise(
    shape.reduce((a, b) => a * b, 1),
    seed,
  );
  return { name, dtype: "float32", shape, data: new Uint8Array(Float32Array.from(values).buffer) };
};

/** A node of a .tflite file on x `[T, B, I]` or `[B, T, I]`: weights by number, others absent. */
function nodeOf(
  kind: string,
  attributes: object,
  weights: readonly (Tensor | undefined)[],
  outputs: readonly number[],
  timeMajor: boolean,
): Graph {
  const sizes = timeMajor ? [T, B] : [B, T];
  const tensors: Tensor[] = [{ name: "x", dtype: "float32", shape: [...sizes, I] }];
  const inputs = [0, ...weights.map((tensor) => (tensor === undefined ? -1 : tensors.push(tensor) - 1))];
  const made = outputs.map(
    (width, i) => tensors.push({ name: `y${i}`, dtype: "float32", shape: [...sizes, width] }) - 1,
  );
  const node = {
    kind,
    where: "node 0",
    inputs,
    outputs: made,
    attributes: {
      activation: 4,
      cellClip: 0,
      projectionClip: 0,
      asymmetric: false,
      sequence: true,
      timeMajor,
      ...attributes,
    },
  };
  return {
    name: "main",
    tensors,
    nodes: [node as unknown as AnyNode],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: made.map((tensor, i) => ({ name: `y${i}`, tensor: tensor as TensorId })),
    subgraphs: [],
  };
}

const state = (name: string): Tensor => ({ name, dtype: "float32", shape: [B, H], variable: true });
const many = (count: number, shape: readonly number[], seed: number) =>
  Array.from({ length: count }, (_, i) => real(`w${seed + i}`, shape, seed + i));
const none = (count: number): readonly undefined[] => Array.from({ length: count }, () => undefined);

/** The 17 tensors of a direction of an LSTM. */
function lstmWeights(seed: number, { coupled = false, peepholes = false } = {}): readonly (Tensor | undefined)[] {
  const gates = (list: readonly Tensor[]) => (coupled ? [undefined, ...list.slice(1)] : list);
  return [
    ...gates(many(4, [H, I], seed)),
    ...gates(many(4, [H, H], seed + 4)),
    ...(peepholes ? gates(many(3, [H], seed + 8)) : none(3)),
    ...gates(many(4, [H], seed + 11)),
    ...none(2),
  ];
}

const rnnWeights = (seed: number, name: string) => [
  real("w", [H, I], seed),
  real("r", [H, H], seed + 1),
  real("b", [H], seed + 2),
  state(name),
];

describe("layers of .tflite files", () => {
  const both = [state("h0"), state("c0")];
  const four = [...both, state("h1"), state("c1")];
  const cases: readonly (readonly [string, string, object, readonly (Tensor | undefined)[], readonly number[]])[] = [
    ["an LSTM", "lstm", {}, [...lstmWeights(1), ...both], [H]],
    ["… of RELU", "lstm", { activation: 1 }, [...lstmWeights(1), ...both], [H]],
    ["… without an input gate", "lstm", {}, [...lstmWeights(1, { coupled: true }), ...both], [H]],
    ["… with weights of its cell", "lstm", {}, [...lstmWeights(1, { peepholes: true }), ...both], [H]],
    ["… with both", "lstm", {}, [...lstmWeights(1, { coupled: true, peepholes: true }), ...both], [H]],
    [
      "an LSTM of both directions",
      "bidirectionalLstm",
      { mergeOutputs: true },
      [...lstmWeights(1), ...lstmWeights(30), ...four],
      [2 * H],
    ],
    [
      "… with two outputs",
      "bidirectionalLstm",
      { mergeOutputs: false },
      [...lstmWeights(1), ...lstmWeights(30), ...four],
      [H, H],
    ],
    ["an RNN", "rnn", {}, rnnWeights(1, "h0"), [H]],
    ["an RNN of RELU", "rnn", { activation: 1 }, rnnWeights(1, "h0"), [H]],
    [
      "an RNN of both directions",
      "bidirectionalRnn",
      { mergeOutputs: true },
      [...rnnWeights(1, "h0"), ...rnnWeights(5, "h1")],
      [2 * H],
    ],
  ];
  for (const timeMajor of [false, true])
    for (const [name, kind, attributes, weights, outputs] of cases)
      test(`${name}${timeMajor ? ", by time" : ""}`, async () => {
        const graph = nodeOf(kind, attributes, weights, outputs, timeMajor);
        const said: string[] = [];
        const bytes = writeOnnx(graph, { onWarning: (message) => said.push(message) });
        assert.ok(said.some((message) => message.includes("begins each run")));
        const [expected, found] = [await outputsOf(graph), await outputsOf(importModel(bytes, {}))];
        for (const [i, values] of expected.entries())
          for (const [j, value] of values.entries())
            assert.ok(
              Math.abs(value - (found[i]?.[j] ?? Number.NaN)) < 2e-6,
              `${i}, ${j}: ${found[i]?.[j]}, not ${value}`,
            );
      });
});
