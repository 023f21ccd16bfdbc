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

/** A channel grows by this at most. */
const MOST_FACTOR = 2 ** 10;

/** Operators that give each channel times a number for each channel times that number, in the last dimension. */
const ALIKE: ReadonlySet<string> = new Set(
  "relu averagePool2d maxPool2d resizeBilinear resizeNearestNeighbor reshape concat add".split(" "),
);
const HOMOGENEOUS: ReadonlySet<Activation> = new Set<Activation>(["none", "relu"]);

/** Numbers that belong together. */
function createSets(count: number) {
  const parents = Int32Array.from({ length: count }, (_, i) => i);
  const find = (i: number): number => {
    let root = i;
    while (parents[root] !== root) root = parents[root] as number;
    for (let at = i; at !== root; ) [at, parents[at]] = [parents[at] as number, root];
    return root;
  };
  const join = (a: number, b: number): void => {
    parents[find(a)] = find(b);
  };
  return { find, join };
}

/** Channels that can only grow together, those of them that may, and tensors that belong together. */
export interface EvenChannels {
  /** Tensors that have such channels, or are joined with some that have. */
  readonly tensors: readonly TensorId[];
  /** By tensor the class of each of its channels, −1 where it has to stay. */
  readonly classes: ReadonlyMap<TensorId, Int32Array>;
  /** A number for all tensors that belong together. */
  groupOf(id: TensorId): number;
}

/** Which channels may grow. */
export function evenChannelsOf(graph: Graph): EvenChannels {
  const layers = new Map(layersOf(graph).map((layer) => [layer.index, layer] as const));
  const readers = countReaders(graph);
  const widthOf = (id: TensorId) => tensorOf(graph, id).shape.at(-1) ?? 1;
  const begins = new Map<TensorId, number>();
  let count = 0;
  for (const [id, tensor] of graph.tensors.entries())
    if (isFloatValue(tensor) && tensor.variable !== true) {
      begins.set(id as TensorId, count);
      count += widthOf(id as TensorId);
    }
  const [channels, groups] = [createSets(count), createSets(graph.tensors.length)];
  const stays = new Set<TensorId>([...graph.inputs, ...graph.outputs].map(({ tensor }) => tensor));
  const grows = new Set<TensorId>();
  const join = (x: TensorId, y: TensorId, first = 0) => {
    groups.join(x, y);
    const [from, to] = [begins.get(x), begins.get(y)];
    for (let c = 0; from !== undefined && to !== undefined && c < widthOf(x); c++)
      channels.join(from + c, to + first + c);
  };
  for (const [i, node] of graph.nodes.entries()) {
    const layer = layers.get(i);
    const computed = node.inputs.filter((id) => id !== NONE && begins.has(id));
    if (layer === undefined && isAlike(graph, node, computed)) {
      const [y] = node.outputs as readonly [TensorId];
      let first = 0;
      for (const x of computed) {
        join(x, y, first);
        if (node.kind === "concat" && widthOf(y) !== widthOf(x)) first += widthOf(x);
      }
      continue;
    }
    const own = layer !== undefined && [layer.w, layer.bias].every((id) => id === NONE || readers[id] === 1);
    const evens = own && node.kind === "depthwiseConv2d" && layer.channels === widthOf(layer.x);
    if (evens) grows.add(layer.x);
    for (const id of computed) if (!evens) stays.add(id);
    const { activation = "none" } = node.attributes as { readonly activation?: Activation };
    if (!own || !HOMOGENEOUS.has(activation)) for (const id of node.outputs) stays.add(id);
  }
  const fixed = new Set<number>();
  const wanted = new Set<number>();
  for (const [set, ids] of [
    [fixed, stays],
    [wanted, grows],
  ] as const)
    for (const id of ids)
      for (let c = 0; begins.has(id) && c < widthOf(id); c++) set.add(channels.find((begins.get(id) as number) + c));
  const classes = new Map<TensorId, Int32Array>();
  for (const [id, from] of begins)
    classes.set(
      id,
      Int32Array.from({ length: widthOf(id) }, (_, c) => {
        const found = channels.find(from + c);
        return fixed.has(found) || !wanted.has(found) ? -1 : found;
      }),
    );
  const free = new Set([...classes].filter(([, own]) => own.some((each) => each >= 0)).map(([id]) => groups.find(id)));
  const tensors = [...classes.keys()].filter((id) => free.has(groups.find(id)));
  return { tensors, classes, groupOf: groups.find };
}

/** Whether an operator does the same to every channel, of all tensors that it computes with. */
function isAlike(graph: Graph, { kind, inputs, outputs, attributes }: AnyNode, computed: readonly TensorId[]): boolean {
  const y = tensorOf(graph, outputs[0] as TensorId).shape;
  const { activation = "none", axis } = attributes as { readonly activation?: Activation; readonly axis?: number };
  if (!ALIKE.has(kind) || !HOMOGENEOUS.has(activation)) return false;
  const shapes = computed.map((id) => tensorOf(graph, id).shape);
  if (kind === "add") return computed.length === inputs.length && shapes.every((shape) => shape.join() === y.join());
  if (kind !== "concat") return shapes.every((shape) => shape.at(-1) === y.at(-1));
  return computed.length === inputs.length && (axis ?? 0) + (axis !== undefined && axis < 0 ? y.length : 0) < y.length;
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
