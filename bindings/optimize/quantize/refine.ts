/** Layer after layer: weights rounded with regard to their inputs, and biases that undo what rounding did to the means. */
import type { AnyNode, Graph, TensorId } from "../../graph.ts";
import { tensorOf } from "../../graph.ts";
import { BOUNDS } from "../../primitives/requantize/quantization.ts";
import type { TypedArray } from "../../tensor.ts";
import { Stream, single } from "../calibrate/stream.ts";
import { bytesOf } from "../constants.ts";
import type { Sample } from "../data/types.ts";
import { fromRows, type Layer, rowsOf } from "../layers.ts";
import type { Gram } from "../linear/gram.ts";
import { addRows, gramsOf, layersOf as linearLayers, spread } from "../linear/layers.ts";
import type { Progress } from "../progress.ts";
import { adaround } from "./adaround.ts";
import { buildQuantized, type Decisions } from "./build.ts";
import { gptq, leastErrorScales, squaresOf } from "./gptq.ts";
import type { Rounding, Scales } from "./options.ts";
import { type QuantizedWeights, realRows } from "./weights.ts";

/** Rows of a layer's inputs that are looked at. */
const POSITIONS = 20_000;
/** Inputs whose products are looked at together at most, and about those of a piece where there are more. */
const MOST_INPUTS = 4096;
const PIECE = 2048;

/** How one layer is refined. */
export interface Refinement {
  readonly rounding: Rounding;
  readonly correction: "bias" | "none";
}

/**
 * The decisions with better weights and biases. Each layer sees the inputs that the network quantized so far gives it; the
 * means of its pre-activations are moved to those of the float network. Layers that share weights round them alike, by what all of them see in the float network.
 */
export async function refine(
  graph: Graph,
  decisions: Decisions,
  samples: readonly Sample[],
  refinementOf: (node: number) => Refinement | undefined,
  scales: Scales,
  progress: Progress,
): Promise<Decisions> {
  const weights = new Map(decisions.weights);
  const current = { ...decisions, weights };
  const [float, quantized] = [new Stream(graph, samples), new Stream(graph, samples)];
  const wanted = graph.nodes.map((_, i) => (weights.has(i) ? refinementOf(i) : undefined));
  const rounds = [...decisions.layers.values()].filter(
    ({ index }) => (wanted[index]?.rounding ?? "nearest") !== "nearest",
  );
  const shared = await sharedGrams(graph, rounds, samples);
  const last = Math.max(-1, ...wanted.flatMap((refinement, i) => (refinement === undefined ? [] : [i])));
  for (const [i, node] of graph.nodes.slice(0, last + 1).entries()) {
    const layer = decisions.layers.get(i);
    const stored = weights.get(i);
    const refinement = wanted[i];
    const { part, ids } = single(graph, node);
    let sums: readonly TypedArray[] | undefined;
    if (layer !== undefined && stored !== undefined && refinement !== undefined) {
      progress({ phase: "round", done: i, total: last + 1, note: layer.name });
      const grams = shared.get(layer.w) ?? (() => gramsOfInputs(graph, layer, quantized));
      const rounded = roundLayer(graph, layer, stored, grams, scales, refinement.rounding);
      weights.set(i, rounded);
      if (refinement.correction === "bias") {
        sums = await sumsOf(graph, layer, float, undefined);
        const target = channelMeans(sums, layer.channels);
        const found = channelMeans(await sumsOf(graph, layer, quantized, rounded), layer.channels);
        weights.set(i, {
          ...rounded,
          bias: rounded.bias.map((b, c) => b + (target[c] as number) - (found[c] as number)),
        });
      }
    }
    if (i === last) break;
    float.advance(i, sums && layer ? [activated(sums, layer)] : await float.run(part, ids));
    const own = buildQuantized(part, aloneDecisions(current, i));
    quantized.advance(i, await quantized.run(own, ids));
  }
  return current;
}

/** The decisions of node i for the graph that holds nothing else. */
function aloneDecisions({ types, affines, layers, weights, halves, inner }: Decisions, i: number): Decisions {
  const at = <V>(map: ReadonlyMap<number, V>) => new Map(map.has(i) ? [[0, map.get(i) as V]] : []);
  return {
    types: [types[i] ?? "float32"],
    layers: at(layers),
    weights: at(weights),
    affines,
    halves,
    io: "float32",
    inner,
    silent: [],
  };
}

/** Products of a layer's inputs in all examples of a stream, added to those of others of its weights. */
function gramsOfInputs(graph: Graph, layer: Layer, stream: Stream, others?: readonly Gram[]): readonly Gram[] {
  const linear = linearLayers(graph).find(({ at }) => at === layer.index);
  if (linear === undefined) return [];
  const grams = others ?? gramsOf(linear, {}, piecesOf(linear.inputs));
  const examples = stream.of(layer.x) as readonly Float32Array[];
  const each = Math.max(1, Math.ceil(POSITIONS / Math.max(1, examples.length)));
  for (const [i, x] of examples.entries()) addRows(linear, grams, x, spread(linear.positions, each, i));
  return grams;
}

/** By weights that several of these layers have, the products of the inputs of all of them in the float network. */
async function sharedGrams(
  graph: Graph,
  layers: readonly Layer[],
  samples: readonly Sample[],
): Promise<ReadonlyMap<TensorId, () => readonly Gram[]>> {
  const found = new Map<TensorId, readonly Gram[]>();
  const shared = layers.filter((layer) => layers.some((other) => other !== layer && other.w === layer.w));
  const last = Math.max(-1, ...shared.map(({ index }) => index));
  const stream = new Stream(graph, last < 0 ? [] : samples);
  for (const [i, node] of graph.nodes.slice(0, last + 1).entries()) {
    const layer = shared.find(({ index }) => index === i);
    if (layer !== undefined) found.set(layer.w, gramsOfInputs(graph, layer, stream, found.get(layer.w)));
    const { part, ids } = single(graph, node);
    stream.advance(i, await stream.run(part, ids));
  }
  return new Map([...found].map(([w, grams]) => [w, () => grams]));
}

/** Scales of least error for int4, and GPTQ or what is learned. */
function roundLayer(
  graph: Graph,
  layer: Layer,
  stored: QuantizedWeights,
  products: () => readonly Gram[],
  scales: Scales,
  rounding: Rounding,
): QuantizedWeights {
  if (rounding === "nearest") return stored;
  const grams = products();
  if (grams.length === 0) return stored;
  const round = rounding === "gptq" ? gptq : adaround;
  const pieces = piecesOf(layer.depth);
  const groups = grams.length / pieces.length;
  const width = layer.channels / groups;
  const all = rowsOf(layer, tensorOf(graph, layer.w));
  const rows = new Int8Array(all.length);
  const scale = Float64Array.from(
    { length: layer.channels },
    (_, c) => stored.scale[stored.scale.length === 1 ? 0 : c] as number,
  );
  for (let g = 0; g < groups; g++) {
    const own = grams.slice(g * pieces.length, (g + 1) * pieces.length).map((gram) => gram.finish());
    const [first, last] = [g * width, (g + 1) * width];
    const group = all.subarray(first * layer.depth, last * layer.depth);
    if (stored.bits === 4 && scales === "channel") {
      const squares = Float64Array.from(own.flatMap(({ products, size }) => [...squaresOf(products, size)]));
      scale.set(
        leastErrorScales({ weights: group, depth: layer.depth, squares }, scale.subarray(first, last), 4),
        first,
      );
    }
    let from = 0;
    for (const { products, size } of own) {
      const weights = new Float32Array(width * size);
      for (let o = 0; o < width; o++)
        weights.set(group.subarray(o * layer.depth + from, o * layer.depth + from + size), o * size);
      const rounded = round({ weights, depth: size, products }, scale.subarray(first, last), stored.bits);
      for (let o = 0; o < width; o++)
        rows.set(rounded.subarray(o * size, (o + 1) * size), (first + o) * layer.depth + from);
      from += size;
    }
  }
  return { ...stored, rows, scale: scales === "channel" ? [...scale] : stored.scale };
}

/** Inputs whose products are looked at together: of a layer of very many, pieces, since they take memory by their square and time by their cube. */
function piecesOf(inputs: number): readonly number[] {
  const count = inputs <= MOST_INPUTS ? 1 : Math.ceil(inputs / PIECE);
  const edge = (k: number) => Math.round((k * inputs) / count);
  return Array.from({ length: count }, (_, k) => edge(k + 1) - edge(k));
}

/** A layer's pre-activations in all examples: of the float weights, or of what the integers stand for. */
async function sumsOf(
  graph: Graph,
  layer: Layer,
  stream: Stream,
  stored: QuantizedWeights | undefined,
): Promise<readonly TypedArray[]> {
  const tensors = [...graph.tensors];
  if (stored !== undefined) {
    const rows = fromRows(layer, realRows(stored, layer.depth));
    tensors[layer.w] = { ...tensorOf(graph, layer.w), data: bytesOf(rows) };
    if (layer.bias >= 0) tensors[layer.bias] = { ...tensorOf(graph, layer.bias), data: bytesOf(stored.bias) };
  }
  const attributes = { ...layer.node.attributes, activation: "none" };
  const { part, ids } = single({ ...graph, tensors }, { ...layer.node, attributes } as AnyNode);
  const [outputs = []] = await stream.run(part, ids);
  return outputs;
}

/** Pre-activations as the layer's activation leaves them. */
function activated(sums: readonly TypedArray[], layer: Layer): readonly TypedArray[] {
  const [low, high] = BOUNDS[layer.node.attributes.activation];
  if (low === -Infinity && high === Infinity) return sums;
  for (const values of sums)
    for (let i = 0; i < values.length; i++) values[i] = Math.min(Math.max(values[i] as number, low), high);
  return sums;
}

/** Means over everything but the last dimension. */
function channelMeans(values: readonly TypedArray[], channels: number): Float64Array {
  const sums = new Float64Array(channels);
  let rows = 0;
  for (const each of values) {
    const list = each as Float32Array;
    rows += list.length / channels;
    for (let i = 0, c = 0; i < list.length; i++, c = c + 1 === channels ? 0 : c + 1)
      sums[c] = (sums[c] as number) + (list[i] as number);
  }
  return sums.map((sum) => sum / Math.max(rows, 1));
}
