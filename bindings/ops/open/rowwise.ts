/** Which operators take tensors of open rows: those whose every row of results comes of one row. */
import type { AnyNode, OpKind } from "../../graph.ts";
import { type DType, elementCount, type Tensor } from "../../tensor.ts";
import type { NodeView } from "../types.ts";
import { integersOf } from "../values.ts";

type View = NodeView<OpKind>;

export const isOpen = (tensor: Tensor) => tensor.open === "rows";

export const numbers = (tensor: Tensor | undefined) => (tensor?.data === undefined ? undefined : integersOf(tensor));

/** Nodes after which there are as many rows as there is room for. */
export const CLOSING = new WeakSet<AnyNode>();

/** The least and the greatest number of a type. */
export const LEAST: { readonly [D in DType]?: number } = {
  float32: -Infinity,
  int32: -(2 ** 31),
  int8: -128,
  int16: -32768,
};
export const MOST: { readonly [D in DType]?: number } = {
  float32: Infinity,
  int32: 2 ** 31 - 1,
  int8: 127,
  int16: 32767,
};

/** Functions of each element. */
const EACH: ReadonlySet<OpKind> = new Set<OpKind>([
  ...(["abs", "ceil", "cos", "elu", "exp", "floor", "gelu", "hardSwish", "leakyRelu", "log", "logicalNot"] as const),
  ...(["logistic", "neg", "relu", "relu6", "reluN1To1", "relu0To1", "round", "rsqrt", "sign", "sin"] as const),
  ...(["sqrt", "square", "tanh", "cast", "quantize", "dequantize", "rank", "bucketize", "fakeQuant"] as const),
  ...(["erf", "cbrt", "zerosLike"] as const),
]);
/** Functions of images, of which each row has one. */
const IMAGES: ReadonlySet<OpKind> = new Set<OpKind>([
  ...(["conv2d", "depthwiseConv2d", "averagePool2d", "maxPool2d", "l2Pool2d", "conv3d"] as const),
  ...(["depthToSpace", "spaceToDepth", "resizeBilinear", "resizeNearestNeighbor"] as const),
  "localResponseNormalization",
]);
/** Functions of the last dimension. */
const LAST: ReadonlySet<OpKind> = new Set<OpKind>([
  ...(["softmax", "logSoftmax", "fullyConnected", "l2Normalization", "topK"] as const),
]);
/** Functions of two or three elements that meet. */
export const MEETING: ReadonlySet<OpKind> = new Set<OpKind>([
  ...(["add", "sub", "mul", "div", "maximum", "minimum", "pow", "squaredDifference", "floorDiv", "floorMod"] as const),
  ...(["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual", "logicalAnd", "logicalOr"] as const),
  ...(["select", "selectV2", "prelu", "atan2", "addN", "bitwiseXor", "rightShift"] as const),
]);
export const REDUCING: ReadonlySet<OpKind> = new Set<OpKind>([
  ...(["sum", "mean", "reduceMax", "reduceMin", "reduceProd", "reduceAny", "reduceAll", "argMax", "argMin"] as const),
]);

/** Whether open rows go through: `at` is the first open input, `others` the rest of them. */
export function passes({ kind }: AnyNode, { attributes, inputs }: View, at: number): boolean {
  const x = inputs[at] as Tensor;
  const rank = x.shape.length;
  const second = numbers(inputs[1]);
  if (EACH.has(kind)) return true;
  if (MEETING.has(kind)) {
    const most = Math.max(...inputs.map((each) => each?.shape.length ?? 0));
    const fits = (each: Tensor | undefined) =>
      each === undefined ||
      (isOpen(each) ? each.shape.length === most : each.shape.length < most || each.shape[0] === 1);
    return inputs.every(fits);
  }
  const axis = "axis" in attributes ? (attributes.axis as number) : undefined;
  const inside = axis !== undefined && axis !== 0 && axis !== -rank;
  const isOnly = !inputs.some((each, i) => i !== at && each !== undefined && isOpen(each));
  if (kind === "gather") {
    const batchDims = "batchDims" in attributes ? attributes.batchDims : 0;
    if (at === 0) return isOnly && inside && batchDims === 0;
    return at === 1 && axis === 0 && batchDims === 0;
  }
  if (kind === "gatherNd") return at === 1 && rank >= 2;
  if (kind === "embeddingLookup") return at === 0 && isOnly;
  if (kind === "concat" || kind === "pack") {
    const first = kind === "pack" ? -rank - 1 : -rank;
    return axis !== 0 && axis !== first && inputs.every((each) => each !== undefined && isOpen(each));
  }
  if (kind === "oneHot") return at === 0 && isOnly && axis !== 0;
  if (kind === "split") return at === 1 && isWithin(numbers(inputs[0]), rank);
  if (kind === "splitV") return at === 0 && isOnly && isWithin(numbers(inputs[2]), rank);
  if (kind === "unpack") return inside;
  if (kind === "batchMatMul") return batches(inputs, attributes);
  if (at !== 0 || !isOnly) return false;
  if (IMAGES.has(kind)) return true;
  if (LAST.has(kind)) return rank >= 2;
  if (REDUCING.has(kind) || kind === "reverse") return isWithin(second, rank);
  if (kind === "cumsum") return isWithin(second, rank) || ("reverse" in attributes && !attributes.reverse);
  if (kind === "transpose") return second?.[0] === 0;
  if (kind === "pad" || kind === "mirrorPad") return second?.[0] === 0 && second[1] === 0;
  if (kind === "tile") return second?.[0] === 1;
  if (kind === "squeeze" || kind === "expandDims") return (x.shape[0] as number) > 1;
  if (kind === "reshape") return (second ?? ("shape" in attributes ? attributes.shape : undefined))?.[0] === -1;
  if (kind === "slice") return second?.[0] === 0 && numbers(inputs[2])?.[0] === -1;
  if (kind === "stridedSlice") return isWhole(attributes as never, numbers(inputs[3]));
  return false;
}

/** Functions of each element, and of it and a single one: these pass on tensors of open length. */
export function passesLength({ kind }: AnyNode, { inputs }: View): boolean {
  const open = inputs.filter((each) => each?.open !== undefined);
  const isFlat = open.length === 1 && open[0]?.open === "length" && kind !== "rank";
  const isSingle = (each: Tensor | undefined) =>
    each === undefined || each === open[0] || elementCount(each.shape) === 1;
  return isFlat && (EACH.has(kind) || (MEETING.has(kind) && inputs.every(isSingle)));
}

/** Axes that are constants, and none of them the rows. */
const isWithin = (axes: readonly number[] | undefined, rank: number) =>
  axes?.every((axis) => axis !== 0 && axis !== -rank) ?? false;

/** Products of which each row has one, or whose left matrix has the rows. */
function batches(inputs: View["inputs"], attributes: object): boolean {
  const [a, b] = inputs as readonly [Tensor, Tensor];
  const [p, q] = [a.shape.length, b.shape.length];
  if (isOpen(a) && isOpen(b)) return p === q && p > 2;
  if (!isOpen(a)) return q > 2 && (p < q || (p === q && a.shape[0] === 1));
  if (p === 2) return q === 2 && "adjointA" in attributes && attributes.adjointA === false;
  return q < p || (p === q && b.shape[0] === 1);
}

/** A strided slice that takes all rows. */
function isWhole(masks: { readonly [mask: string]: number }, strides: readonly number[] | undefined): boolean {
  const { beginMask = 0, endMask = 0, ellipsisMask, newAxisMask, shrinkAxisMask = 0 } = masks;
  const all = (beginMask & endMask & ~shrinkAxisMask & 1) === 1;
  return all && ellipsisMask === 0 && newAxisMask === 0 && strides?.[0] === 1;
}
