/** A layer's least-squares problem in a network whose earlier layers have been pruned already. */
import type { AnyNode, Graph, TensorId } from "../../graph.ts";
import { addRows, gramsOf, type Layer, usersOf } from "../linear/layers.ts";
import { factorKept, solveKept } from "../linear/leastSquares.ts";
import { restOf, type Stage } from "./stage.ts";
import {
  forEach,
  type Moments,
  momentsOf,
  RIDGE,
  rowsOf,
  type System,
  systemOf,
  systemWith,
  viewsOf,
} from "./systems.ts";

/** The graph with each layer's activation as a node of its own, and where the values before it are. */
interface Split {
  readonly graph: Graph;
  /** By a layer's node. */
  readonly before: ReadonlyMap<number, TensorId>;
  /** Where a layer's node is in this graph. */
  readonly places: ReadonlyMap<number, number>;
}

/** Takes activations out of layers. */
export function splitActivations(graph: Graph, layers: readonly Layer[]): Split {
  const tensors = [...graph.tensors];
  const before = new Map<number, TensorId>();
  const own = new Set(layers.flatMap((layer) => usersOf(layer).map(({ at }) => at)));
  const places = new Map<number, number>();
  let place = 0;
  const nodes = graph.nodes.flatMap((node, at): readonly AnyNode[] => {
    const y = node.outputs[0] as TensorId;
    places.set(at, place++);
    if (!own.has(at) || !("activation" in node.attributes)) return [node];
    const { activation } = node.attributes;
    if (activation === "none") {
      before.set(at, y);
      return [node];
    }
    const id = tensors.length as TensorId;
    tensors.push({ ...(graph.tensors[y] as Graph["tensors"][number]), name: `${graph.tensors[y]?.name}/before` });
    before.set(at, id);
    place++;
    return [
      { ...node, outputs: [id], attributes: { ...node.attributes, activation: "none" } } as AnyNode,
      { kind: activation, where: node.where, inputs: [id], outputs: [y], attributes: {} } as AnyNode,
    ];
  });
  return { graph: { ...graph, tensors, nodes }, before, places };
}

/**
 * The system of a layer whose inputs come from the pruned network and whose outputs should be those of the dense one: its
 * weights are the best that all inputs together can do. `wanted`: of each view of an example. `see` is shown the inputs of each. The pruned network goes on from
 * `stage`.
 */
export async function driftedSystem(
  layer: Layer,
  split: Split,
  wanted: readonly Float32Array[],
  pruned: Graph,
  stage: Stage,
  see: (user: Layer, x: Float32Array, view: number) => void = () => {},
): Promise<System> {
  const { outputs, inputs, groups } = layer;
  const width = outputs / groups;
  const grams = gramsOf(layer, { ones: "ones", outputs: width });
  const ids = [...new Set(usersOf(layer).map(({ x }) => x))];
  await forEach(restOf(pruned, stage), ids, stage.examples, (values, example) => {
    for (const { user, view } of viewsOf(layer, stage.examples.length, example)) {
      const x = values.get(user.x) as Float32Array;
      addRows(user, grams, x, rowsOf(user, wanted.length, view), wanted[view] as Float32Array);
      see(user, x, view);
    }
  });
  const moments = grams.map(momentsOf);
  const dense = systemOf(split.graph, layer, moments);
  const weights = new Float64Array(outputs * inputs);
  const bias = new Float64Array(outputs);
  const all = Array.from({ length: inputs }, (_, i) => i);
  const factored = moments.map(({ covariance: products }) => factorKept({ products, size: inputs, ridge: RIDGE }, all));
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
    const problem = { products: covariance, size: inputs, target, towards, ridge: RIDGE };
    const w = solveKept(problem, all, factored[group]);
    weights.set(w, o * inputs);
    let shift = mean;
    for (let i = 0; i < inputs; i++) shift -= (means[i] as number) * (w[i] as number);
    bias[o] = shift;
  }
  return systemWith(layer, weights, bias, moments);
}

/** Bytes of targets that are kept at a time. */
const MOST_BYTES = 2 ** 26;

/** The first of these layers whose targets are kept together, at least one. */
export function together(layers: readonly Layer[], examples: number): readonly Layer[] {
  let bytes = 0;
  return layers.filter((layer, i) => {
    for (const { user } of viewsOf(layer, examples, 0))
      bytes += 4 * examples * layer.outputs * rowsOf(user, usersOf(layer).length * examples, 0).length;
    return i === 0 || bytes <= MOST_BYTES;
  });
}

/** What dense layers give before their activations, by their nodes: of each view of an example the rows that count, `[rows][outputs]`. */
export async function targets(
  { graph, before }: Split,
  layers: readonly Layer[],
  stage: Stage,
): Promise<ReadonlyMap<number, readonly Float32Array[]>> {
  const all = new Map(layers.map(({ at }) => [at, [] as Float32Array[]] as const));
  const idOf = ({ at }: Layer) => before.get(at) as TensorId;
  const ids = layers.flatMap((layer) => usersOf(layer).map(idOf));
  const { examples } = stage;
  await forEach(restOf(graph, stage), ids, examples, (values, example) => {
    for (const layer of layers) {
      const { outputs, at } = layer;
      const views = viewsOf(layer, examples.length, example);
      for (const { user, view } of views) {
        const y = values.get(idOf(user)) as Float32Array;
        const rows = rowsOf(user, views.length * examples.length, view);
        const own = new Float32Array(rows.length * outputs);
        for (const [k, row] of rows.entries()) own.set(y.subarray(row * outputs, (row + 1) * outputs), k * outputs);
        (all.get(at) as Float32Array[])[view] = own;
      }
    }
  });
  return all;
}
