/**
 * Which channels of a network stay or go together. A channel's class runs through depthwise layers, activations and pooling; an addition joins the classes
 * of what it adds, a concatenation keeps those of its parts side by side.
 */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../../graph.ts";
import { countReaders } from "../../../passes/view.ts";
import { elementCount, typedCopy } from "../../../tensor.ts";
import { type Layer, layersOf } from "../../linear/layers.ts";

/** Classes of the elements of each tensor's last dimension, and of the inputs of dense layers, by number. */
export interface Channels {
  /** Of an activation, or of a constant that has one value for each channel. */
  of(id: TensorId): readonly number[] | undefined;
  /** The class of each column of a layer's weights; undefined for depthwise layers. */
  columns(layer: Pick<Layer, "at">): readonly number[] | undefined;
  /** Classes that may go. */
  readonly free: ReadonlySet<number>;
  readonly layers: readonly Layer[];
}

/** What gives each channel what it makes of that channel alone. */
const ALONE = new Set<string>(
  ["relu", "relu6", "relu0To1", "reluN1To1", "leakyRelu", "logistic", "tanh", "hardSwish", "elu", "gelu", "abs"].concat(
    ["neg", "square", "averagePool2d", "maxPool2d", "resizeBilinear", "resizeNearestNeighbor", "mirrorPad"],
  ),
);
/** Element by element, of two. */
const PAIRS = new Set<string>(["add", "sub", "mul", "div", "maximum", "minimum", "squaredDifference", "prelu"]);

/** The channels of a graph whose types are inferred. */
export function channelsOf(graph: Graph): Channels {
  const sets = createSets();
  const known = new Map<TensorId, readonly number[]>();
  const columns = new Map<number, readonly number[]>();
  const readers = countReaders(graph);
  const layers = layersOf(graph);
  const byNode = new Map(layers.map((layer) => [layer.at, layer] as const));
  const firstUser = new Map([...layers].reverse().map((layer) => [layer.weights, layer] as const));
  const width = (id: TensorId) => tensorOf(graph, id).shape.at(-1) ?? 1;
  const constant = (id: TensorId) => tensorOf(graph, id).data !== undefined;
  const give = (id: TensorId, classes: readonly number[]) => void known.set(id, classes);
  const of = (id: TensorId) => {
    if (!known.has(id)) give(id, sets.fresh(width(id)));
    return known.get(id) as readonly number[];
  };
  const freeze = (id: TensorId) => {
    if (id !== NONE && !constant(id)) sets.freeze(of(id));
  };
  for (const { tensor } of graph.inputs) freeze(tensor);
  for (const [at, node] of graph.nodes.entries()) {
    const layer = byNode.get(at);
    if (!(layer ? throughLayer(layer) && likeFirst(layer) : throughOther(node))) {
      for (const id of node.inputs) freeze(id);
      for (const id of node.outputs) freeze(id);
    }
  }
  for (const { tensor } of graph.outputs) freeze(tensor);

  /** Whether channels can be followed through a layer. */
  function throughLayer(layer: Layer): boolean {
    const { kind, x, y, weights, bias, inputs, outputs, groups, patches } = layer;
    if (!ownedByLayers(weights, "weights") || (bias !== NONE && !(constant(bias) && ownedByLayers(bias, "bias"))))
      return false;
    if (constant(x) || tensorOf(graph, weights).dtype !== "float32") return false;
    if (kind === "depthwiseConv2d") {
      const from = of(x);
      give(
        y,
        Array.from({ length: outputs }, (_, o) => from[Math.floor((o * groups) / outputs)] as number),
      );
      return true;
    }
    if (groups !== 1) return throughGroups(layer);
    const from = of(x);
    const depth = patches?.depth ?? inputs;
    if (depth % from.length !== 0) return false;
    columns.set(
      layer.at,
      Array.from({ length: inputs }, (_, i) => from[(i % depth) % from.length] as number),
    );
    give(y, sets.fresh(outputs));
    return true;
  }

  /** Whether layers alone read a constant, each as its weights, or its bias. */
  function ownedByLayers(id: TensorId, as: "weights" | "bias"): boolean {
    return readers[id] === layers.filter((layer) => layer[as] === id).length;
  }

  /** Layers that share weights read and give channels of the same classes. */
  function likeFirst({ at, weights, y }: Layer): boolean {
    const first = firstUser.get(weights);
    if (first === undefined || first.at === at) return true;
    const [own, theirs] = [columns.get(at), columns.get(first.at)];
    if (own && theirs) sets.join(theirs, own);
    sets.join(of(first.y), of(y));
    return true;
  }

  /** A group goes as a whole: what it reads and what it gives are one class. */
  function throughGroups({ x, y, inputs, outputs, groups, patches }: Layer): boolean {
    const from = of(x);
    const depth = patches?.depth ?? inputs;
    if (from.length !== groups * depth) return false;
    const firstOf = (i: number, each: number) => from[Math.floor(i / each) * depth] as number;
    sets.join(
      from.map((_, i) => firstOf(i, depth)),
      from,
    );
    give(
      y,
      Array.from({ length: outputs }, (_, o) => firstOf(o, outputs / groups)),
    );
    return true;
  }

  function throughOther(node: AnyNode): boolean {
    const [x = NONE, second = NONE] = node.inputs;
    const y = node.outputs[0] as TensorId;
    if (x === NONE || node.outputs.length !== 1) return false;
    const { kind } = node;
    if (PAIRS.has(kind)) return throughPair(x, second, y);
    if (kind === "concat") return throughConcat(node.inputs, y, node.attributes.axis);
    if (constant(x)) return false;
    if (kind === "mean") {
      const axes = integers(second);
      const rank = tensorOf(graph, x).shape.length;
      return !axes.some((axis) => axis === -1 || axis === rank - 1) && same(x, y);
    }
    if (kind === "pad") return throughPad(x, second, y);
    if (kind === "reshape" || kind === "squeeze" || kind === "expandDims") return throughShape(x, y);
    return ALONE.has(kind) && same(x, y);
  }

  function integers(id: TensorId): readonly number[] {
    const { data, dtype } = tensorOf(graph, id);
    return data === undefined ? [-1] : Array.from(typedCopy(dtype, data), Number);
  }

  function same(x: TensorId, y: TensorId): boolean {
    if (width(x) !== width(y)) return false;
    give(y, of(x));
    return true;
  }

  /** Channels of zeros beside those that are padded stay. */
  function throughPad(x: TensorId, paddings: TensorId, y: TensorId): boolean {
    const [before = -1, after = -1] = integers(paddings).slice(-2);
    if (before < 0 || after < 0 || before + width(x) + after !== width(y)) return false;
    const [left, right] = [sets.fresh(before), sets.fresh(after)];
    for (const added of [left, right]) sets.freeze(added);
    give(y, [...left, ...of(x), ...right]);
    return true;
  }

  /** Trailing dimensions joined into one repeat the channels. */
  function throughShape(x: TensorId, y: TensorId): boolean {
    const sizes = tensorOf(graph, x).shape;
    const from = of(x);
    let joined = 1;
    for (let d = sizes.length - 1; d >= 0 && joined <= width(y); d--) {
      joined *= sizes[d] as number;
      if (joined !== width(y)) continue;
      give(
        y,
        Array.from({ length: joined }, (_, i) => from[i % from.length] as number),
      );
      return true;
    }
    return false;
  }

  function throughPair(a: TensorId, b: TensorId, y: TensorId): boolean {
    if (b === NONE || (constant(a) && constant(b))) return false;
    const all = [a, b].filter((id) => width(id) === width(y));
    // One value for all channels tells nothing of them; one that is computed is no channel of theirs.
    for (const id of [a, b]) if (width(id) !== width(y)) freeze(id);
    if (all.some((id) => constant(id) && (readers[id] !== 1 || elementCount(tensorOf(graph, id).shape) !== width(id))))
      return false;
    const [first, ...others] = all.filter((id) => !constant(id));
    if (first === undefined) return false;
    for (const other of others) sets.join(of(first), of(other));
    for (const id of all) if (constant(id)) give(id, of(first));
    give(y, of(first));
    return true;
  }

  function throughConcat(inputs: readonly TensorId[], y: TensorId, axis: number): boolean {
    if (inputs.some((id) => id === NONE || constant(id))) return false;
    const rank = tensorOf(graph, y).shape.length;
    if (axis === rank - 1 || axis === -1) {
      give(y, inputs.flatMap(of));
      return true;
    }
    const [first, ...others] = inputs.map(of);
    for (const other of others) sets.join(first as readonly number[], other);
    give(y, first as readonly number[]);
    return true;
  }

  const free = new Set<number>();
  const found = (classes: readonly number[] | undefined) => classes?.map(sets.find);
  for (const classes of known.values()) for (const each of classes) if (!sets.frozen(each)) free.add(sets.find(each));
  return {
    of: (id) => found(known.get(id)),
    columns: ({ at }) => found(columns.get(at)),
    free,
    layers,
  };
}

/** Numbers that are joined into sets; a set with a frozen one is frozen. */
function createSets() {
  const parents: number[] = [];
  const cold: boolean[] = [];
  const find = (one: number): number => {
    let root = one;
    while (parents[root] !== root) root = parents[root] as number;
    for (let at = one; at !== root; ) {
      const next = parents[at] as number;
      parents[at] = root;
      at = next;
    }
    return root;
  };
  return {
    find,
    frozen: (one: number) => cold[find(one)] as boolean,
    fresh: (count: number) =>
      Array.from({ length: count }, () => {
        cold.push(false);
        return parents.push(parents.length) - 1;
      }),
    freeze(all: readonly number[]) {
      for (const one of all) cold[find(one)] = true;
    },
    join(a: readonly number[], b: readonly number[]) {
      for (const [i, one] of a.entries()) {
        const [p, q] = [find(one), find(b[i] as number)];
        if (p === q) continue;
        parents[q] = p;
        cold[p] = cold[p] === true || cold[q] === true;
      }
    },
  };
}
