/** What each operator asks of the scales around it, as TFLite's converter has it. */
import type { AnyNode, OpKind } from "../../graph.ts";
import type { Affine } from "../../primitives/requantize/quantization.ts";
import type { Activations } from "./scales.ts";

/**
 * `product`: constant weights, bias of the accumulators' scale. `free`: any scale everywhere. `tied`: inputs and outputs of reals
 * share one scale, so that bytes are moved or compared as they are. `fixed`: the output's scale is the function's.
 */
type Rule = "product" | "free" | "tied" | "fixed";

const PRODUCTS: readonly OpKind[] = ["conv2d", "depthwiseConv2d", "fullyConnected", "transposeConv"];

export const COMPARISONS: readonly OpKind[] = ["less", "lessEqual", "greater", "greaterEqual", "equal", "notEqual"];

/** Not NEG: see signs.ts. */
const FREE: readonly OpKind[] = [
  ...(["batchMatMul", "add", "sub", "mul", "div", "squaredDifference", "addN", "mean", "sum", "prelu"] as const),
  ...(["leakyRelu", "hardSwish", "relu", "relu6", "reluN1To1", "relu0To1", "elu", "gelu", "exp", "log"] as const),
  ...(["sqrt", "rsqrt", "abs", "square", "sin", "cos", "argMax", "argMin", "quantize"] as const),
  ...COMPARISONS,
];

const TIED: readonly OpKind[] = [
  ...(["reshape", "squeeze", "expandDims", "transpose", "averagePool2d", "maxPool2d", "pad", "mirrorPad"] as const),
  ...(["concat", "maximum", "minimum", "slice", "stridedSlice", "gather", "gatherNd", "split", "splitV"] as const),
  ...(["pack", "unpack", "spaceToDepth", "depthToSpace", "batchToSpace", "spaceToBatch", "tile", "reverse"] as const),
  ...(["reverseSequence", "resizeBilinear", "resizeNearestNeighbor", "reduceMax", "reduceMin"] as const),
  ...(["broadcastTo", "select", "selectV2", "dynamicUpdateSlice", "topK"] as const),
];

/** Scales of functions of a known range, by type. */
const FIXED: { readonly [K in OpKind]?: { readonly [A in Activations]?: Affine } } = {
  softmax: { int8: { scale: 2 ** -8, zeroPoint: -128 }, int16: { scale: 2 ** -15, zeroPoint: 0 } },
  logistic: { int8: { scale: 2 ** -8, zeroPoint: -128 }, int16: { scale: 2 ** -15, zeroPoint: 0 } },
  tanh: { int8: { scale: 2 ** -7, zeroPoint: 0 }, int16: { scale: 2 ** -15, zeroPoint: 0 } },
  l2Normalization: { int8: { scale: 2 ** -7, zeroPoint: 0 } },
  logSoftmax: { int8: { scale: 2 ** -4, zeroPoint: 127 } },
};

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...PRODUCTS.map((kind) => [kind, "product"] as const),
  ...FREE.map((kind) => [kind, "free"] as const),
  ...TIED.map((kind) => [kind, "tied"] as const),
  ...Object.keys(FIXED).map((kind) => [kind, "fixed"] as const),
]);

/** Operators that TFLite's kernels refuse of int16; of PRELU they take it and give 0 for what is below it. */
const WITHOUT_INT16: ReadonlySet<string> = new Set<OpKind>([
  ...(["reluN1To1", "relu0To1", "squaredDifference", "spaceToDepth", "depthToSpace", "prelu"] as const),
]);

/** Whether TFLite has the operator with activations of that type. */
export const takes = ({ kind }: AnyNode, type: Activations): boolean => type === "int8" || !WITHOUT_INT16.has(kind);

/** The node's rule; undefined for operators that stay float. */
export const ruleOf = ({ kind }: AnyNode): Rule | undefined => RULES.get(kind);

/** The scale that the operator fixes for its output in that type. */
export const fixedAffine = ({ kind }: AnyNode, type: Activations): Affine | undefined => FIXED[kind]?.[type];
