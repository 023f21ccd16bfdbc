/**
 * Where TFLite's reference rounds otherwise than TFLite Micro, pint8 does as Micro does. Micro refuses networks with the
 * operators below, and finds no constants behind the FlatBuffer: for these TFLite's own rounding is the only one. It
 * rounds FULLY_CONNECTED once, computes the factors of MUL, and of int16 RELU, RELU6 and LEAKY_RELU, in
 * float32, and the tables of int16 SOFTMAX in double precision.
 */
import type { AnyNode, Graph, OpKind, TensorId } from "../graph.ts";
import { type Multipliers, quantizeMultipliers } from "../primitives/requantize/quantization.ts";
import { elementCount, type Tensor } from "../tensor.ts";

/** Operators that TFLite Micro does not have, of those that stand in quantized networks; EXP it has of floats alone. */
const WITHOUT_MICRO: ReadonlySet<string> = new Set<OpKind>([
  ...(["gelu", "tile", "pow", "topK", "oneHot", "where", "range", "scatterNd", "sign", "atan2", "rank"] as const),
  ...(["reluN1To1", "relu0To1", "reduceProd", "reduceAny", "reverseSequence", "conv3d", "conv3dTranspose"] as const),
  ...([
    "bidirectionalLstm",
    "bidirectionalRnn",
    "rnn",
    "rfft2d",
    "nonMaxSuppressionV4",
    "nonMaxSuppressionV5",
  ] as const),
  ...(["localResponseNormalization", "select", "sparseToDense", "unique", "matrixDiag", "matrixSetDiag"] as const),
  ...(["segmentSum", "unsortedSegmentSum", "unsortedSegmentMax", "unsortedSegmentMin", "bucketize"] as const),
]);

/** And those that it does not have of int16; of RSQRT its table is far off near 0, and is not followed. */
const WITHOUT_INT16: ReadonlySet<string> = new Set<OpKind>([
  ...(["log", "rsqrt", "resizeBilinear", "gather", "gatherNd", "spaceToBatch"] as const),
  ...(["reduceMax", "reduceMin", "mirrorPad", "floorMod"] as const),
]);

/** Dimensions that it takes, where there may be more. */
const MOST_DIMENSIONS: Readonly<Record<string, number>> = { stridedSlice: 4, transpose: 5, broadcastTo: 5 };

/** Tensors that its CONCATENATION takes. */
const MOST_JOINED = 10;

/** Products that it refuses of floats with whole numbers. */
const PRODUCTS: ReadonlySet<string> = new Set<OpKind>([
  ...(["conv2d", "depthwiseConv2d", "fullyConnected", "transposeConv", "batchMatMul", "svdf"] as const),
]);

/** Operators that only name dimensions anew: it refuses those whose output has more or fewer elements than their input by the file's own shapes. */
const RENAMING: ReadonlySet<string> = new Set<OpKind>(["reshape", "expandDims", "squeeze"]);

/** Sums of so many products of int16 fit in what they are multiplied in. */
const MOST_DEPTH = 4096;

/** An LSTM's state of the cell, its scales, and which of the intermediates is the output before a projection. */
const CELL = 19;
const [LEAST_CELL, MOST_CELL] = [2 ** -15.5, 2 ** -8.5];
const HIDDEN = 4;

const { fround } = Math;

/** The graph with its factors as TFLite's reference has them, where TFLite Micro would refuse it. */
export function liteRounding(graph: Graph): Graph {
  const { nodes, tensors, inputs } = graph;
  // nodes that state a rule of rounding are ONNX's
  const isOther = nodes.some(({ attributes }) => "rounding" in attributes);
  if (
    isOther ||
    !(graph.withoutMicro || nodes.some((node) => isWithoutMicro(node, tensors) || isOpen(node, tensors, inputs)))
  )
    return graph;
  return { ...graph, nodes: nodes.map((node) => rounded(node, tensors)) };
}

/** Whether the file leaves dimensions open behind a convolution over time with gaps, say; inputs may have been given other shapes. */
function isOpen({ kind, inputs, outputs }: AnyNode, tensors: readonly Tensor[], given: Graph["inputs"]): boolean {
  const [x, y] = [inputs[0], outputs[0]].map((id) => tensors[id as TensorId]);
  if (!RENAMING.has(kind) || !x || !y || given.some(({ tensor }) => tensor === inputs[0])) return false;
  return elementCount(x.shape) !== elementCount(y.shape);
}

function isWithoutMicro({ kind, inputs, outputs }: AnyNode, tensors: readonly Tensor[]): boolean {
  if (WITHOUT_MICRO.has(kind)) return true;
  const [x, w, image] = inputs.map((id) => tensors[id]);
  if (x?.dtype === "int16" && WITHOUT_INT16.has(kind)) return true;
  if (kind === "exp" && x?.dtype.startsWith("int")) return true;
  if ((x?.shape.length ?? 0) > (MOST_DIMENSIONS[kind] ?? 8)) return true;
  if (kind === "fullyConnected" && (w?.dtype === "int16" || x?.dtype === "uint8")) return true;
  if (kind === "concat" && inputs.length > MOST_JOINED) return true;
  // of a shape that SHAPE gives, though it is known here: masks of Keras' attention
  if (kind === "fill" && x !== undefined && x.data === undefined) return true;
  const isHybrid = (x?.dtype === "float32" || image?.dtype === "float32") && /^int[48]$/.test(w?.dtype ?? "");
  // it takes a tensor of no elements for one whose size is not known yet
  return (PRODUCTS.has(kind) && isHybrid) || outputs.some((id) => tensors[id]?.shape.includes(0));
}

function rounded(node: AnyNode, tensors: readonly Tensor[]): AnyNode {
  const { kind } = node;
  const [a, b, y] = [node.inputs[0], node.inputs[1], node.outputs[0]].map((id) => tensors[id as TensorId]);
  const [[sa = 0], [sy = 0]] = [scales(a), scales(y)];
  if (kind === "relu" || kind === "relu6" || kind === "leakyRelu") {
    const isInt16 = a?.dtype === "int16" && y?.dtype === "int16" && sa > 0 && sy > 0;
    if (!isInt16) return node;
    if (kind !== "leakyRelu") return { ...node, attributes: { factor: fround(sa / sy) } };
    const down = fround(fround(sa * fround(node.attributes.alpha)) / sy);
    return { ...node, attributes: { ...node.attributes, factors: [fround(sa / sy), down] } };
  }
  if (kind === "lstm") {
    const [cell = 0] = scales(tensors[node.inputs[CELL] as TensorId]);
    const isKnown = a?.dtype === "int8" && (node.attributes.intermediates?.[HIDDEN]?.scale ?? 0) > 0;
    if (!isKnown || cell < LEAST_CELL || cell > MOST_CELL) return node;
    return { ...node, attributes: { ...node.attributes, arithmetic: "tflite" } };
  }
  if (kind === "softmax") {
    if (a?.dtype !== "int16") return node;
    return { ...node, attributes: { ...node.attributes, tables: "float64" } };
  }
  if (kind !== "mul" && kind !== "fullyConnected") return node;
  const sb = scales(b);
  const legacy = a?.dtype === "uint8";
  const ratios = sb.map((scale) => (legacy ? fround(sa * scale) : sa * scale) / sy);
  if (ratios.length === 0 || !ratios.every((ratio) => ratio > 2 ** -31 && ratio < 0.5)) return node;
  if (kind === "mul") {
    if (legacy) return node;
    const factor = fround(fround(sa * (sb[0] as number)) / sy);
    return { ...node, attributes: { ...node.attributes, factor } };
  }
  if (a?.dtype === "int16") {
    // of two of int16 sums have 64 bits and are multiplied by the upper half, as everywhere
    if (b?.dtype === "int16" || (b?.shape[1] ?? 0) > MOST_DEPTH || y?.dtype !== "int16") return node;
    return { ...node, attributes: { ...node.attributes, once: quantizeMultipliers(ratios) } };
  }
  if (!(a?.dtype === "int8" || legacy)) return node;
  return { ...node, attributes: { ...node.attributes, once: roundedOnce(ratios) } };
}

/** Scales of what is quantized. */
const scales = (tensor: Tensor | undefined): readonly number[] =>
  /^u?int8$|^int16$/.test(tensor?.dtype ?? "") ? (tensor?.quantization?.scale ?? []) : [];

/**
 * The exact multipliers, which are proven, and for kernels without proofs some with no shift: the one rounding is that of the product's upper
 * half. Those of small ratios would have too few bits left, and stay as they are.
 */
function roundedOnce(ratios: readonly number[]): Multipliers & { readonly exact: Multipliers } {
  const exact = quantizeMultipliers(ratios);
  if (!ratios.every((ratio) => ratio > 2 ** -12)) return { ...exact, exact };
  const multiplier = Int32Array.from(ratios, (ratio) => Math.round(ratio * 2 ** 31));
  return { multiplier, shift: new Int32Array(ratios.length), exact };
}
