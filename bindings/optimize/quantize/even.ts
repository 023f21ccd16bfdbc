/**
 * Channels brought to one size where nothing but depthwise layers read them, whose factors have a scale for each channel: one scale of a tensor holds all of
 * its channels alike then, where the smallest ones had a few steps of it. Trunks that batch normalization reads are so, concatenated (DenseNet) or added
 * (ResNet v2), and what RELU leaves between a layer and a depthwise one.
 */
import { type Activation, type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { countReaders } from "../../passes/view.ts";
import type { Tensor } from "../../tensor.ts";
import type { ChannelRange, Range } from "../calibrate/ranges.ts";
import { bytesOf, isFloatValue } from "../constants.ts";
import { biasOf, fromRows, type Layer, layersOf, rowsOf, withParameters } from "../layers.ts";
import { createSets } from "../sets.ts";

/** A channel grows by this at most. */
const MOST_FACTOR = 2 ** 10;

/** Operators that give each channel times a number for each channel times that number, in the last dimension. */
const ALIKE: ReadonlySet<string> = new Set(
  "relu averagePool2d maxPool2d resizeBilinear resizeNearestNeighbor reshape concat add".split(" "),
);

/** Channels that can only grow together, those of them that may, and tensors that belong together. */
export interface EvenChannels {
  /** Tensors that have such channels, or are joined with some that have. */
  readonly tensors: readonly TensorId[];
  /** By tensor the class of each of its channels, −1 where it has to stay. */
  readonly classes: ReadonlyMap<TensorId, readonly number[]>;
  /** A number for all tensors that belong together. */
  groupOf(id: TensorId): number;
}

/** Which channels may grow. */
export function evenChannelsOf(graph: Graph): EvenChannels {
  const layers = new Map(layersOf(graph).map((layer) => [layer.index, layer] as const));
  const readers = countReaders(graph);
  const [sets, groups] = [createSets(), createSets()];
  groups.fresh(graph.tensors.length);
  const places = new Map(
    graph.tensors.flatMap((tensor, id) =>
      isFloatValue(tensor) && !tensor.variable ? [[id as TensorId, sets.fresh(tensor.shape.at(-1) ?? 1)] as const] : [],
    ),
  );
  const placesOf = (id: TensorId) => places.get(id) ?? [];
  const stay = (ids: readonly TensorId[]) => sets.freeze(ids.flatMap(placesOf));
  stay([...graph.inputs, ...graph.outputs].map(({ tensor }) => tensor));
  const grow = new Set<TensorId>();
  for (const [i, node] of graph.nodes.entries()) {
    const layer = layers.get(i);
    const computed = node.inputs.filter((id) => places.has(id));
    if (layer === undefined && isAlike(graph, node, computed)) {
      const [y] = node.outputs as readonly [TensorId];
      let to = placesOf(y);
      for (const x of computed) {
        groups.join([y], [x]);
        sets.join(placesOf(x), to);
        if (placesOf(x).length < to.length) to = to.slice(placesOf(x).length);
      }
      continue;
    }
    const own = layer !== undefined && [layer.w, layer.bias].every((id) => id === NONE || readers[id] === 1);
    const evens = own && node.kind === "depthwiseConv2d" && layer.channels === placesOf(layer.x).length;
    if (evens) grow.add(layer.x);
    else stay(computed);
    if (!own || !isHomogeneous(node)) stay(node.outputs);
  }
  const wanted = new Set([...grow].flatMap((id) => placesOf(id).map(sets.find)));
  const classOf = (one: number) => (sets.frozen(one) || !wanted.has(sets.find(one)) ? -1 : sets.find(one));
  const classes = new Map([...places].map(([id, all]) => [id, all.map(classOf)] as const));
  const free = new Set([...classes].filter(([, own]) => own.some((each) => each >= 0)).map(([id]) => groups.find(id)));
  const tensors = [...classes.keys()].filter((id) => free.has(groups.find(id)));
  return { tensors, classes, groupOf: groups.find };
}

function isHomogeneous({ attributes }: AnyNode): boolean {
  const { activation = "none" } = attributes as { readonly activation?: Activation };
  return activation === "none" || activation === "relu";
}

/** Whether an operator does the same to every channel, of all tensors that it computes with. */
function isAlike(graph: Graph, node: AnyNode, computed: readonly TensorId[]): boolean {
  const { kind, inputs, outputs } = node;
  if (!ALIKE.has(kind) || !isHomogeneous(node)) return false;
  const [y, ...xs] = [...outputs, ...computed].map((id) => tensorOf(graph, id).shape) as [
    readonly number[],
    ...(readonly number[])[],
  ];
  if (kind === "add") return computed.length === inputs.length && xs.every((x) => `${x}` === `${y}`);
  return kind === "concat" ? computed.length === inputs.length : xs.every((x) => x.at(-1) === y.at(-1));
}

/** The graph with channels that reach as far as the largest of what they belong to, and the ranges of what changed. It computes the same within float32's rounding. */
export function evenOut(
  graph: Graph,
  { tensors: ids, classes, groupOf }: EvenChannels,
  extremes: ReadonlyMap<TensorId, ChannelRange>,
): { readonly graph: Graph; readonly ranges: ReadonlyMap<TensorId, Range> } {
  const reach = new Map<number, number>();
  const most = new Map<number, number>();
  for (const id of ids) {
    const { min, max } = extremes.get(id) ?? { min: [], max: [] };
    const group = groupOf(id);
    for (const [c, high] of max.entries()) {
      const size = Math.max(high, -(min[c] as number), 0);
      const own = classes.get(id)?.[c] ?? -1;
      reach.set(own, Math.max(reach.get(own) ?? 0, size));
      most.set(group, Math.max(most.get(group) ?? 0, size));
    }
  }
  /** What a channel is multiplied by. */
  const factorOf = (id: TensorId, c: number): number => {
    const own = classes.get(id)?.[c] ?? -1;
    const size = own < 0 ? 0 : (reach.get(own) ?? 0);
    return size > 0 ? Math.min((most.get(groupOf(id)) ?? size) / size, MOST_FACTOR) : 1;
  };
  const tensors: Tensor[] = [...graph.tensors];
  const nodes: AnyNode[] = [...graph.nodes];
  const put = (id: TensorId, values: Float32Array) =>
    (tensors.push({ ...tensorOf(graph, id), data: bytesOf(values) }) - 1) as TensorId;
  for (const layer of layersOf(graph)) {
    const { channels, depth, w, x, y, bias, node, index } = layer;
    const reads = node.kind === "depthwiseConv2d" && channels === classes.get(x)?.length;
    const [own, before] = [factorsOf(layer, y, factorOf), reads ? factorsOf(layer, x, factorOf) : undefined];
    if (own.every((by) => by === 1) && (before ?? []).every((by) => by === 1)) continue;
    const rows = rowsOf(layer, tensorOf(graph, w)).map((value, i) => {
      const c = Math.floor(i / depth);
      return (value * (own[c] as number)) / (before?.[c] ?? 1);
    });
    const biases = biasOf(graph, layer).map((value, c) => value * (own[c] as number));
    const ids = [put(w, fromRows(layer, rows)), ...(bias === NONE ? [] : [put(bias, biases)])];
    nodes[index] = { ...node, inputs: withParameters(node, node.inputs, ids) } as AnyNode;
  }
  const ranges = new Map<TensorId, Range>();
  for (const id of ids) {
    const { min, max } = extremes.get(id) ?? { min: new Float64Array(), max: new Float64Array() };
    if (min.length === 0) continue;
    const scaled = (values: Float64Array) => values.map((value, c) => value * factorOf(id, c));
    ranges.set(id, { min: Math.min(...scaled(min)), max: Math.max(...scaled(max)) });
  }
  return { graph: { ...graph, tensors, nodes }, ranges };
}

const factorsOf = ({ channels }: Layer, id: TensorId, factorOf: (id: TensorId, c: number) => number) =>
  Float64Array.from({ length: channels }, (_, c) => factorOf(id, c));
