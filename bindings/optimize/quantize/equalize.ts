/**
 * Weights of neighbouring layers brought to like sizes channel by channel (Nagel et al. 2019), so that one scale for a whole tensor
 * does. RELU6 stays: a channel that its clamp reaches is left as it is, and others grow no further than it lets them, so the
 * network's function stays the same on the examples.
 */
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { countReaders } from "../../passes/view.ts";
import type { Tensor } from "../../tensor.ts";
import type { ChannelRange, Range } from "../calibrate/ranges.ts";
import { bytesOf } from "../constants.ts";
import { biasOf, fromRows, type Layer, rowsOf, withParameters } from "../layers.ts";
import { largestOf } from "./weights.ts";

/** Passes over all pairs. */
const SWEEPS = 10;
/** A channel whose values reach this is clamped by RELU6, or nearly so. */
const CLAMPED = 5.9;
/** What others may reach. */
const HIGHEST = 5.7;
/** One sweep changes a channel by at most this factor. */
const MOST_FACTOR = 2 ** 10;

/** A layer all of whose outputs go into one other layer, channel by channel. */
interface Pair {
  readonly first: Layer;
  readonly second: Layer;
}

/** The pairs of a graph: no branch and no other node between. */
export function pairsOf(graph: Graph, layers: readonly Layer[]): readonly Pair[] {
  const readers = countReaders(graph);
  return layers.flatMap((second) => {
    const first = layers.find(({ y }) => y === second.x);
    if (first === undefined || readers[second.x] !== 1 || first.node.attributes.activation === "reluN1To1") return [];
    return columnsOf(graph, second, first.channels) === undefined ? [] : [{ first, second }];
  });
}

/** For each weight of the second layer's rows the channel of its input; undefined where channels are mixed otherwise. */
function columnsOf(
  graph: Graph,
  { node, channels, depth, w }: Layer,
  inputs: number,
): ((i: number) => number) | undefined {
  if (node.kind === "depthwiseConv2d") return channels === inputs ? (i) => Math.floor(i / depth) : undefined;
  const last = tensorOf(graph, w).shape.at(-1);
  return last === inputs ? (i) => i % inputs : undefined;
}

/** The graph with other weights, and the ranges of what lies between them. */
export function equalize(
  graph: Graph,
  layers: readonly Layer[],
  extremes: ReadonlyMap<TensorId, ChannelRange>,
): { readonly graph: Graph; readonly ranges: ReadonlyMap<TensorId, Range> } {
  const pairs = pairsOf(graph, layers).filter(({ first }) => extremes.has(first.y));
  const rows = new Map(layers.map((layer) => [layer, rowsOf(layer, tensorOf(graph, layer.w))] as const));
  const biases = new Map(layers.map((layer) => [layer, biasOf(graph, layer)] as const));
  /** Each channel was divided by so much. */
  const factors = new Map(pairs.map(({ first }) => [first, new Float64Array(first.channels).fill(1)] as const));
  for (let sweep = 0; sweep < SWEEPS; sweep++)
    for (const pair of pairs) {
      const { first, second } = pair;
      const [a, b] = [rows.get(first) as Float32Array, rows.get(second) as Float32Array];
      const column = columnsOf(graph, second, first.channels) as (i: number) => number;
      const total = factors.get(first) as Float64Array;
      const { max } = extremes.get(first.y) as ChannelRange;
      const own = largestOf(a, first.depth);
      const next = new Float64Array(first.channels);
      for (let i = 0; i < b.length; i++) {
        const c = column(i);
        next[c] = Math.max(next[c] as number, Math.abs(b[i] as number));
      }
      const by = own.map((size, c) => {
        const reached = (max[c] as number) / (total[c] as number);
        return factorOf(size, next[c] as number, reached, first.node.attributes.activation === "relu6");
      });
      for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) / (by[Math.floor(i / first.depth)] as number);
      for (let i = 0; i < b.length; i++) b[i] = (b[i] as number) * (by[column(i)] as number);
      const bias = biases.get(first) as Float32Array;
      for (let c = 0; c < by.length; c++) {
        bias[c] = (bias[c] as number) / (by[c] as number);
        total[c] = (total[c] as number) * (by[c] as number);
      }
    }

  const tensors: Tensor[] = [...graph.tensors];
  const nodes: AnyNode[] = [...graph.nodes];
  const add = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  for (const layer of layers) {
    const weights = fromRows(layer, rows.get(layer) as Float32Array);
    const bias = bytesOf(biases.get(layer) as Float32Array);
    const w = add({ ...tensorOf(graph, layer.w), data: bytesOf(weights) });
    const name = layer.bias < 0 ? `${layer.name}/bias` : tensorOf(graph, layer.bias).name;
    const b = add({ name, dtype: "float32", shape: [layer.channels], data: bias });
    nodes[layer.index] = { ...layer.node, inputs: withParameters(layer.node, layer.node.inputs, [w, b]) } as AnyNode;
  }
  const ranges = new Map<TensorId, Range>();
  for (const [{ y }, total] of factors) {
    const { min, max } = extremes.get(y) as ChannelRange;
    const low = min.reduce((least, value, c) => Math.min(least, value / (total[c] as number)), Infinity);
    const high = max.reduce((most, value, c) => Math.max(most, value / (total[c] as number)), -Infinity);
    ranges.set(y, { min: low, max: high });
  }
  return { graph: { ...graph, tensors, nodes }, ranges };
}

/** What one channel is divided by, before the clamp, and multiplied with behind it. */
function factorOf(own: number, next: number, reached: number, clamped: boolean): number {
  if (!(own > 0 && next > 0)) return 1;
  if (clamped && reached >= CLAMPED) return 1;
  const wanted = Math.min(Math.max(Math.sqrt(own / next), 1 / MOST_FACTOR), MOST_FACTOR);
  return clamped ? Math.max(wanted, reached / HIGHEST) : wanted;
}
