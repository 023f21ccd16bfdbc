/** A layer's least-squares problem in a network whose earlier layers have been pruned already. */
import type { AnyNode, Graph, TensorId } from "../../graph.ts";
import { addRows, gramsOf, type Layer } from "../linear/layers.ts";
import { solveKept } from "../linear/leastSquares.ts";
import {
  forEach,
  type Inputs,
  type Moments,
  momentsOf,
  RIDGE,
  rowsOf,
  type System,
  systemOf,
  systemWith,
} from "./systems.ts";

/** The graph with each layer's activation as a node of its own, and where the values before it are. */
export interface Split {
  readonly graph: Graph;
  /** By a layer's node. */
  readonly before: ReadonlyMap<number, TensorId>;
}

/** Takes activations out of layers. */
export function splitActivations(graph: Graph, layers: readonly Layer[]): Split {
  const tensors = [...graph.tensors];
  const before = new Map<number, TensorId>();
  const own = new Set(layers.map(({ at }) => at));
  const nodes = graph.nodes.flatMap((node, at): readonly AnyNode[] => {
    const y = node.outputs[0] as TensorId;
    if (!own.has(at) || !("activation" in node.attributes)) return [node];
    const { activation } = node.attributes;
    if (activation === "none") {
      before.set(at, y);
      return [node];
    }
    const id = tensors.length as TensorId;
    tensors.push({ ...(graph.tensors[y] as Graph["tensors"][number]), name: `${graph.tensors[y]?.name}/before` });
    before.set(at, id);
    return [
      { ...node, outputs: [id], attributes: { ...node.attributes, activation: "none" } } as AnyNode,
      { kind: activation, where: node.where, inputs: [id], outputs: [y], attributes: {} } as AnyNode,
    ];
  });
  return { graph: { ...graph, tensors, nodes }, before };
}

/**
 * The system of a layer whose inputs come from the pruned network and whose outputs should be those of the dense one: its
 * weights are the best that all inputs together can do.
 */
export async function driftedSystem(
  layer: Layer,
  split: Split,
  wanted: readonly Float32Array[],
  pruned: Graph,
  examples: Inputs,
): Promise<System> {
  const { outputs, inputs, groups } = layer;
  const width = outputs / groups;
  const grams = gramsOf(layer, { ones: "ones", outputs: width });
  await forEach(pruned, [layer.x], examples, (values, example) => {
    const rows = rowsOf(layer, examples.length, example);
    addRows(layer, grams, values.get(layer.x) as Float32Array, rows, wanted[example] as Float32Array);
  });
  const moments = grams.map(momentsOf);
  const dense = systemOf(split.graph, layer, moments);
  const weights = new Float64Array(outputs * inputs);
  const bias = new Float64Array(outputs);
  const all = Array.from({ length: inputs }, (_, i) => i);
  for (let o = 0; o < outputs; o++) {
    const group = Math.floor(o / width);
    const { covariance, means, rows } = moments[group] as Moments;
    const sums = (grams[group] as (typeof grams)[number]).targets.subarray((o % width) * (inputs + 1));
    const mean = (sums[inputs] as number) / Math.max(rows, 1);
    const target = Float64Array.from(
      { length: inputs },
      (_, i) => (sums[i] as number) - mean * rows * (means[i] as number),
    );
    const towards = dense.weights.subarray(o * inputs, (o + 1) * inputs);
    const w = solveKept({ products: covariance, size: inputs, target, towards, ridge: RIDGE }, all);
    weights.set(w, o * inputs);
    let shift = mean;
    for (let i = 0; i < inputs; i++) shift -= (means[i] as number) * (w[i] as number);
    bias[o] = shift;
  }
  return systemWith(layer, weights, bias, moments);
}

/** What the dense layer gives before its activation: of each example the rows that count, `[rows][outputs]`. */
export async function targets(
  { graph, before }: Split,
  layer: Layer,
  examples: Inputs,
): Promise<readonly Float32Array[]> {
  const id = before.get(layer.at) as TensorId;
  const { outputs } = layer;
  const all: Float32Array[] = [];
  await forEach(graph, [id], examples, (values, example) => {
    const y = values.get(id) as Float32Array;
    const rows = rowsOf(layer, examples.length, example);
    const own = new Float32Array(rows.length * outputs);
    for (const [i, row] of rows.entries()) own.set(y.subarray(row * outputs, (row + 1) * outputs), i * outputs);
    all.push(own);
  });
  return all;
}
