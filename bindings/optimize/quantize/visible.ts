/**
 * The part of each tensor's range that its readers tell apart: HARD_SWISH gives 0 for all below −3, LEAKY_RELU before MAXIMUM what the bound says. A
 * scale that ends there saturates what would come out the same, and is finer.
 */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import type { Range } from "../calibrate/ranges.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";
import { isProduct } from "../layers.ts";
import type { NodeType } from "./build.ts";
import { fixedAffine } from "./operators.ts";
import type { Activations } from "./scales.ts";

/** The least share of a layer's range that it ends at: beyond, the ratio of the accumulators' scale to it is none that kernels know. */
const LEAST = 2 ** -16;
const ALL: Range = { min: -Infinity, max: Infinity };

/** Not MAX_POOL_2D: the least of few maxima says little of other examples. What gives values between two bounds as they are, and those beyond as the bounds, if its output is seen between these alone. */
const CLIPPED: readonly string[] = [
  ...["relu", "relu6", "reluN1To1", "relu0To1", "maximum", "minimum"],
  ...["reshape", "squeeze", "expandDims", "transpose", "pad", "concat", "slice", "stridedSlice", "gather", "split"],
  ...[
    "select",
    "selectV2",
    "splitV",
    "pack",
    "unpack",
    "spaceToDepth",
    "depthToSpace",
    "tile",
    "reverse",
    "broadcastTo",
  ],
];
/** What grows with its one computed operand, so that it is at its least wherever that is. */
const RISING: readonly string[] = [...CLIPPED.slice(0, 6), "add", "sub", "mul", "div", "logistic"];

/** How far below the greatest of its row a value gives SOFTMAX's or LOG_SOFTMAX's least, by half a step or the least of what it can say. */
const BELOW = { softmax: (half: number) => -Math.log(half), logSoftmax: (half: number) => 512 * half } as const;

/** The ranges as far as readers tell values apart; those of outputs, and of what anything on floats reads, stay whole. */
export function visibleRanges(
  graph: Graph,
  types: readonly NodeType[],
  ranges: ReadonlyMap<TensorId, Range>,
): ReadonlyMap<TensorId, Range> {
  const found = new Map(ranges);
  const readers = new Map<TensorId, number[]>();
  const writers = new Map<TensorId, AnyNode>();
  for (const [i, { inputs, outputs }] of graph.nodes.entries()) {
    for (const id of new Set(inputs)) readers.set(id, [...(readers.get(id) ?? []), i]);
    for (const id of outputs) writers.set(id, graph.nodes[i] as AnyNode);
  }
  const ends = new Set(graph.outputs.map(({ tensor }) => tensor));
  const see = { graph, ranges, found, writers };
  const narrow = (x: TensorId) => {
    const range = ranges.get(x);
    const own = readers.get(x) ?? [];
    if (range === undefined || own.length === 0 || ends.has(x)) return;
    const seen = own.map((i) => {
      const type = types[i] as NodeType;
      return type === "float32" ? ALL : seenBy(see, graph.nodes[i] as AnyNode, x, type);
    });
    const writer = writers.get(x);
    const least = writer !== undefined && isProduct(writer) ? LEAST : 0;
    const min = Math.max(range.min, Math.min(least * range.min, ...seen.map((each) => each.min)));
    const max = Math.min(range.max, Math.max(least * range.max, ...seen.map((each) => each.max)));
    if (min <= max) found.set(x, { ...range, min, max });
  };
  for (const { outputs } of [...graph.nodes].reverse()) for (const id of outputs) narrow(id);
  for (const { tensor } of graph.inputs) narrow(tensor);
  return found;
}

interface See {
  readonly graph: Graph;
  /** As they were measured. */
  readonly ranges: ReadonlyMap<TensorId, Range>;
  /** Ranges of outputs of the node in question are what their readers tell apart. */
  readonly found: ReadonlyMap<TensorId, Range>;
  readonly writers: ReadonlyMap<TensorId, AnyNode>;
}

/** The values of x that the node tells apart. */
function seenBy(see: See, node: AnyNode, x: TensorId, type: Activations): Range {
  const ys = node.outputs.map((id) => see.found.get(id) ?? ALL);
  const y = { min: Math.min(...ys.map(({ min }) => min)), max: Math.max(...ys.map(({ max }) => max)) };
  const half = (fixedAffine(node, type)?.scale ?? 0) / 2;
  if (CLIPPED.includes(node.kind)) return y;
  switch (node.kind) {
    case "leakyRelu": {
      const { alpha } = node.attributes;
      return alpha > 0 && alpha <= 1 ? { min: y.min < 0 ? y.min / alpha : y.min, max: y.max } : ALL;
    }
    case "hardSwish":
      return { min: -3, max: Math.max(y.max, 3) };
    case "logistic":
      return within(Math.log((1 - half) / half));
    case "tanh":
      return within(Math.atanh(1 - half));
    case "softmax":
    case "logSoftmax": {
      const { peak = -Infinity, max } = see.ranges.get(x) ?? ALL;
      // Rows of other examples may be lower by as much as these differ
      const min = 2 * peak - max - BELOW[node.kind](half);
      return { min: min - (max - min) / STEPS, max: Infinity };
    }
    case "add":
    case "sub":
    case "mul":
    case "div":
      return seenByPair(see, node, x, y, type);
    default:
      return ALL;
  }
}

/** Steps of a range of int8, one of which the zero point's rounding may take from an end: what is to give the last step, or none, has to be beyond. */
const STEPS = 254;

const within = (end: number): Range => ({ min: -end * (1 + 2 / STEPS), max: end * (1 + 2 / STEPS) });

/** Of a sum, a product with a constant, or one with a function of x that is 0 for all that is small. */
function seenByPair(see: See, node: AnyNode, x: TensorId, y: Range, type: Activations): Range {
  const [a, b] = node.inputs as readonly [TensorId, TensorId];
  const other = a === x ? b : a;
  const tensor = tensorOf(see.graph, other);
  const constant = isFloatConstant(tensor);
  const { min, max } = constant ? ends(floatsOf(tensor)) : (see.ranges.get(other) ?? ALL);
  if (a === b) return ALL;
  if (node.kind === "add") return { min: y.min - max, max: y.max - min };
  if (node.kind === "sub")
    return a === x ? { min: y.min + min, max: y.max + max } : { min: min - y.max, max: max - y.min };
  if (!constant) return node.kind === "mul" ? { min: zeroBelow(see, other, x, type), max: Infinity } : ALL;
  if (min <= 0 || (node.kind === "div" && a !== x)) return ALL;
  return node.kind === "mul" ? scaled(y, min, max) : scaled(y, 1 / max, 1 / min);
}

const ends = (values: Float32Array): Range => ({
  min: values.reduce((a, b) => Math.min(a, b), Infinity),
  max: values.reduce((a, b) => Math.max(a, b), -Infinity),
});

/** What positive factors of these sizes bring between the bounds. */
const scaled = ({ min, max }: Range, least: number, most: number): Range => ({
  min: min / (min < 0 ? least : most),
  max: max / (max > 0 ? least : most),
});

/** The value of x up to which the factor, a function of x that rises, is 0: x · LOGISTIC(x), x · RELU6(x + 3); −∞ if it is none. */
function zeroBelow(see: See, factor: TensorId, x: TensorId, type: Activations): number {
  const chain: AnyNode[] = [];
  for (let id = factor; id !== x; ) {
    const node = see.writers.get(id);
    const computed = node?.inputs.filter((each) => each !== NONE && !isFloatConstant(tensorOf(see.graph, each))) ?? [];
    if (node === undefined || computed.length !== 1 || !RISING.includes(node.kind)) return -Infinity;
    chain.unshift(node);
    id = computed[0] as TensorId;
  }
  const [first] = chain;
  const zero = chain.at(-1)?.kind === "logistic" || see.found.get(factor)?.min === 0;
  return first !== undefined && zero ? seenBy(see, first, x, type).min : -Infinity;
}
