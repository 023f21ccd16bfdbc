/** Small sequences, and what networks give for them. */
import { readModel } from "../../../bindings/formats/onnx/proto.ts";
import type { Graph } from "../../../bindings/graph.ts";
import { openGraph } from "../../../bindings/optimize/tap.ts";
import { buildOnnx, floats, type NodeSpec } from "../build-onnx.ts";

/** Steps, samples, inputs and units. */
export const [T, B, I, H] = [5, 2, 3, 4];
/** The same numbers for the same seed. */
export const noise = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.fround(0.8 * Math.sin((i + seed) * (seed + 1.7))));

export const operatorsOf = (bytes: Uint8Array) => (readModel(bytes).graph?.nodes ?? []).map(({ operator }) => operator);

/** All outputs of one run. */
export async function outputsOf(graph: Graph, seed = 7): Promise<readonly (readonly number[])[]> {
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

export interface Case {
  readonly operator: "LSTM" | "GRU" | "RNN";
  readonly rest?: Partial<NodeSpec>;
  readonly directions?: 1 | 2;
  /** Further inputs of the layer: states that the caller gives, lengths. */
  readonly states?: readonly string[];
  readonly outputs?: readonly string[];
  readonly steps?: number;
}

/** A network of one layer of x `[T, B, I]`. */
export function layerOf({ operator, rest, directions = 1, states = [], outputs = ["y"], steps = T }: Case) {
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

/** A GRU as PyTorch has it. */
export const LINEAR = { int: { linear_before_reset: 1 } };

export const CASES: readonly Case[] = [
  { operator: "LSTM" },
  { operator: "LSTM", outputs: ["y", "h", "c"], states: ["h0", "c0"] },
  { operator: "LSTM", rest: { string: { direction: "reverse" } }, outputs: ["", "h"] },
  { operator: "LSTM", directions: 2, outputs: ["y", "h", "c"] },
  { operator: "LSTM", steps: 1, states: ["h0", "c0"], outputs: ["", "h", "c"] },
  { operator: "GRU", rest: LINEAR, states: ["h0"], outputs: ["y", "h"] },
  { operator: "GRU", rest: LINEAR, directions: 2 },
  { operator: "GRU" },
  { operator: "RNN", outputs: ["y", "h"] },
  { operator: "RNN", rest: { strings: { activations: ["Relu"] } } },
  { operator: "RNN", rest: { strings: { activations: ["Sigmoid"] } } },
  { operator: "RNN", rest: { strings: { activations: ["Relu", "Relu"] } }, directions: 2 },
];
