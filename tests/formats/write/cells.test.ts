/** Recurrent layers of .tflite files as layers of .onnx. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../../bindings/graph.ts";
import type { Tensor } from "../../../bindings/tensor.ts";
import { B, H, I, noise, outputsOf, T } from "./recurrent.ts";

const real = (name: string, shape: readonly number[], seed: number): Tensor => {
  const values = noise(
    shape.reduce((a, b) => a * b, 1),
    seed,
  );
  return { name, dtype: "float32", shape, data: new Uint8Array(Float32Array.from(values).buffer) };
};

/** An input of a node: a constant, the input itself, or none. */
type Given = Tensor | "x" | undefined;

/** A node of a .tflite file on x `[T, B, I]` or `[B, T, I]`: weights by number, others absent. */
function nodeOf(
  kind: string,
  attributes: object,
  weights: readonly Given[],
  outputs: readonly number[],
  timeMajor: boolean,
): Graph {
  const sizes = timeMajor ? [T, B] : [B, T];
  const tensors: Tensor[] = [{ name: "x", dtype: "float32", shape: [...sizes, I] }];
  const inputs = [0, ...weights.map((each) => (each === undefined ? -1 : each === "x" ? 0 : tensors.push(each) - 1))];
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

const rnnWeights = (seed: number, name: string, size = H) => [
  real("w", [size, I], seed),
  real("r", [size, size], seed + 1),
  real("b", [size], seed + 2),
  { ...state(name), shape: [B, size] },
];

/** Those of an LSTM whose state is a product of 3 rows, without an input gate. */
function lstmProjected(): readonly (Tensor | undefined)[] {
  const all = [...lstmWeights(1, { coupled: true, peepholes: true })];
  for (const [i, tensor] of many(3, [H, 3], 50).entries()) all[5 + i] = tensor;
  all.splice(15, 2, real("p", [3, H], 55), real("pb", [3], 56));
  return all;
}

describe("layers of .tflite files", () => {
  const both = [state("h0"), state("c0")];
  const four = [...both, state("h1"), state("c1")];
  const cases: readonly (readonly [string, string, object, readonly Given[], readonly number[]])[] = [
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
    [
      "… with another input",
      "bidirectionalLstm",
      { mergeOutputs: true },
      [...lstmWeights(1), ...lstmWeights(30), ...four, "x", ...many(8, [H, I], 60)],
      [2 * H],
    ],
    [
      "… of which one has weights of its cell",
      "bidirectionalLstm",
      { mergeOutputs: true },
      [...lstmWeights(1), ...lstmWeights(30, { peepholes: true }), ...four],
      [2 * H],
    ],
    ["an LSTM of normalized gates", "lstm", {}, [...lstmWeights(1), ...both, ...many(4, [H], 40)], [H]],
    [
      "… with a projection, bounds, without an input gate",
      "lstm",
      { cellClip: 0.3, projectionClip: 0.2 },
      [...lstmProjected(), ...[{ ...state("h0"), shape: [B, 3] }, state("c0"), undefined], ...many(3, [H], 40)],
      [3],
    ],
    ...[true, false].map(
      (mergeOutputs) =>
        [
          `an RNN of both directions, ${mergeOutputs ? "one output" : "two outputs"}`,
          "bidirectionalRnn",
          { mergeOutputs },
          [...rnnWeights(1, "h0"), ...rnnWeights(9, "h1")],
          mergeOutputs ? [2 * H] : [H, H],
        ] as const,
    ),
    [
      "… with another input, of two sizes",
      "bidirectionalRnn",
      { mergeOutputs: true },
      [...rnnWeights(1, "h0"), ...rnnWeights(9, "h1", H + 1), "x", real("a", [H, I], 20), real("b", [H + 1, I], 21)],
      [2 * H + 1],
    ],
    [
      "… of which the second reads another input",
      "bidirectionalRnn",
      { mergeOutputs: true },
      [...rnnWeights(1, "h0"), ...rnnWeights(9, "h1", H + 1), "x"],
      [2 * H + 1],
    ],
    ["an RNN", "rnn", {}, rnnWeights(1, "h0"), [H]],
    ["an RNN of RELU", "rnn", { activation: 1 }, rnnWeights(1, "h0"), [H]],
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
