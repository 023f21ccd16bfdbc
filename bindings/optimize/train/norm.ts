/** Batch normalization: where it goes, put back into a network that it was folded into, and folded again. */
import { type Activation, type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { floatsOf as constantOf } from "../constants.ts";
import { tapGraph } from "../tap.ts";
import { EPSILON } from "./gradients/finish.ts";
import { type Layer, type Layout, layersOf, type Slot, slotOf } from "./layout.ts";
import { type Goal, goalOf } from "./objective.ts";
import type { Store } from "./store.ts";

/** Samples that statistics are taken of. */
const SAMPLES = 500;

/** What may stand between the last layer and what is learned. */
const AFTER: readonly string[] = [
  "reshape",
  "transpose",
  "logistic",
  "tanh",
  "l2Normalization",
  "resizeBilinear",
  "resizeNearestNeighbor",
];

/** The same, where they are by constants: values in units of their own. */
const SCALING: readonly string[] = ["add", "sub", "mul", "div"];

/** The layers that get normalization: all but those whose results are what is learned. */
export function normalizedLayers(graph: Graph, { tensor }: Goal = goalOf(graph)): readonly Layer[] {
  const last = new Set<TensorId>([tensor]);
  const scales = ([, by]: readonly TensorId[]) => by !== undefined && graph.tensors[by]?.data !== undefined;
  for (const { kind, inputs, outputs } of [...graph.nodes].reverse())
    if ((AFTER.includes(kind) || (SCALING.includes(kind) && scales(inputs))) && outputs.some((id) => last.has(id)))
      last.add(inputs[0] as TensorId);
  return layersOf(graph).filter(({ node }) => !node.outputs.some((id) => last.has(id)));
}

/** Mean and variance of each channel before a layer's activation. */
interface Statistics {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

const CLAMPS = { relu: "relu", relu6: "relu6", reluN1To1: "reluN1To1" } as const;

/** What the layers give before their activations, over the first samples of the store. */
export async function statisticsOf(
  graph: Graph,
  layers: readonly Layer[],
  store: Store,
  inputs: readonly number[],
): Promise<ReadonlyMap<TensorId, Statistics>> {
  const tensors: Tensor[] = [...graph.tensors];
  const before = new Map<TensorId, TensorId>();
  const nodes = graph.nodes.flatMap((node): AnyNode[] => {
    const layer = layers.find(({ node: { outputs } }) => outputs[0] === node.outputs[0]);
    const { activation = "none" } = node.attributes as { readonly activation?: Activation };
    const y = node.outputs[0] as TensorId;
    if (layer === undefined) return [node];
    before.set(layer.weight, y);
    if (activation === "none") return [node];
    const z = (tensors.push({ ...(tensors[y] as Tensor), name: `${tensors.length}` }) - 1) as TensorId;
    before.set(layer.weight, z);
    const clamp = { kind: CLAMPS[activation], where: node.where, inputs: [z], outputs: [y], attributes: {} };
    return [
      { ...node, outputs: [z], attributes: { ...node.attributes, activation: "none" } } as AnyNode,
      clamp as AnyNode,
    ];
  });
  const wanted = layers.map(({ weight }) => before.get(weight) as TensorId);
  const tap = await tapGraph({ ...graph, tensors, nodes }, wanted);
  const sums = layers.map(({ channels }) => ({
    count: 0,
    sum: new Float64Array(channels),
    squares: new Float64Array(channels),
  }));
  try {
    const fed = inputs.map((length) => new Float32Array(length));
    for (let sample = 0; sample < Math.min(store.size, SAMPLES); sample++) {
      for (const [i, to] of fed.entries()) store.write(sample, 0, i, to);
      for (const [i, values] of tap.run(fed).entries()) addTo(sums[i] as (typeof sums)[number], values);
    }
  } finally {
    tap.close();
  }
  return new Map(
    sums.map(({ count, sum, squares }, i) => {
      const mean = sum.map((total) => total / count);
      const variance = squares.map((total, c) => Math.max(total / count - (mean[c] as number) ** 2, 0));
      return [layers[i]?.weight as TensorId, { mean, variance }] as const;
    }),
  );
}

function addTo(
  to: { count: number; readonly sum: Float64Array; readonly squares: Float64Array },
  values: Float32Array,
): void {
  const channels = to.sum.length;
  for (let i = 0; i < values.length; i += channels)
    for (let c = 0; c < channels; c++) {
      const value = values[i + c] as number;
      to.sum[c] = (to.sum[c] as number) + value;
      to.squares[c] = (to.squares[c] as number) + value * value;
    }
  to.count += values.length / channels;
}

/** The arrays that are trained, by their names in `compileStep`. */
interface Arrays {
  readonly weights: Float32Array;
  readonly running: Float32Array;
}

/** The floats of a slot. */
export function floatsOf(arrays: Arrays, slot: Slot | undefined, from = 0): Float32Array {
  const array = slot?.role === "running" ? arrays.running : arrays.weights;
  const offset = (slot?.offset ?? 0) + from;
  return array.subarray(offset, offset + (slot?.floats ?? 0));
}

/** Calls `act` with each output channel of a layer's weights and the places of that channel's weights. */
function eachChannel(
  graph: Graph,
  { weight, axis, channels }: Layer,
  act: (channel: number, at: (i: number) => number, count: number) => void,
): void {
  const { shape } = tensorOf(graph, weight);
  const inner = elementCount(shape.slice(axis + 1));
  const count = elementCount(shape) / channels;
  const at = (channel: number) => (i: number) => (Math.floor(i / inner) * channels + channel) * inner + (i % inner);
  for (let channel = 0; channel < channels; channel++) act(channel, at(channel), count);
}

/**
 * Writes a layer's weights and normalization so that it computes what it did: weights of the size that fresh ones have, whose
 * gain goes into γ, and running statistics as measured.
 */
export function restoreNorm(graph: Graph, layout: Layout, layer: Layer, found: Statistics, arrays: Arrays): void {
  const weights = floatsOf(arrays, slotOf(layout, "weight", layer.weight));
  const [gamma, beta] = (["gamma", "beta"] as const).map((role) =>
    floatsOf(arrays, slotOf(layout, role, layer.weight)),
  );
  const running = slotOf(layout, "running", layer.weight);
  const [mean, variance] = [floatsOf(arrays, running), floatsOf(arrays, running, layer.channels)];
  const bias = layer.bias < 0 ? undefined : constantOf(tensorOf(graph, layer.bias));
  eachChannel(graph, layer, (c, at, count) => {
    let squares = 0;
    for (let i = 0; i < count; i++) squares += (weights[at(i)] as number) ** 2;
    const gain = squares > 0 ? Math.sqrt(2 / squares) : 1;
    for (let i = 0; i < count; i++) weights[at(i)] = (weights[at(i)] as number) * gain;
    const [m, v] = [found.mean[c] as number, (found.variance[c] as number) * gain * gain];
    mean[c] = gain * (m - (bias?.[c] ?? 0));
    variance[c] = v;
    (gamma as Float32Array)[c] = Math.sqrt(v + EPSILON) / gain;
    (beta as Float32Array)[c] = m;
  });
}

/** A layer's weights and bias with its normalization, by running statistics, folded in. */
export function foldNorm(graph: Graph, layout: Layout, layer: Layer, arrays: Arrays) {
  const weights = floatsOf(arrays, slotOf(layout, "weight", layer.weight)).slice();
  const bias = new Float32Array(layer.channels);
  const [gamma, beta] = (["gamma", "beta"] as const).map((role) =>
    floatsOf(arrays, slotOf(layout, role, layer.weight)),
  );
  const running = slotOf(layout, "running", layer.weight);
  const [mean, variance] = [floatsOf(arrays, running), floatsOf(arrays, running, layer.channels)];
  eachChannel(graph, layer, (c, at, count) => {
    const gain = ((gamma as Float32Array)[c] as number) / Math.sqrt((variance[c] as number) + EPSILON);
    for (let i = 0; i < count; i++) weights[at(i)] = (weights[at(i)] as number) * gain;
    bias[c] = ((beta as Float32Array)[c] as number) - (mean[c] as number) * gain;
  });
  return { weights, bias };
}
