/** Operators of the file → nodes of the graph: one entry per BuiltinOperator. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { Activation, AnyNode, Attributes, Node, OpKind, RnnAttributes } from "../../graph.ts";
import {
  type FlatTable,
  readBool,
  readFloat32,
  readFloat32s,
  readInt8,
  readInt32,
  readInt32s,
  readString,
} from "./flatbuffer.ts";

/** The options table of an operator; absent fields, or an absent table, have the schema's defaults. */
export interface Options {
  readonly table: FlatTable | undefined;
  readonly where: string;
}

/** What every node has, besides its kind and attributes. */
export type NodeParts = Pick<Node, "where" | "inputs" | "outputs">;

/** One operator: the union type of its options (0: none are read), and how a node is made. */
interface Entry {
  readonly optionsType: number;
  readonly node: (parts: NodeParts, options: Options) => AnyNode;
}

/** Importers by BuiltinOperator number. */
export const OPERATORS: { readonly [code: number]: Entry | undefined } = {
  0: entry("add", 11, (o) => ({ activation: activation(o, 0) })),
  1: entry("averagePool2d", 5, pool),
  2: entry("concat", 10, (o) => ({ axis: int(o, 0), activation: activation(o, 1) })),
  3: entry("conv2d", 1, (o) => ({
    stride: [int(o, 2), int(o, 1)],
    dilation: [int(o, 5, 1), int(o, 4, 1)],
    padding: padding(o, 0),
    activation: activation(o, 3),
  })),
  4: entry("depthwiseConv2d", 2, (o) => ({
    stride: [int(o, 2), int(o, 1)],
    dilation: [int(o, 6, 1), int(o, 5, 1)],
    padding: padding(o, 0),
    activation: activation(o, 4),
  })),
  5: entry("depthToSpace", 94, (o) => ({ block: int(o, 0) })),
  6: entry("dequantize", 0, none),
  7: entry("embeddingLookup", 0, none),
  8: entry("floor", 0, none),
  9: entry("fullyConnected", 8, fullyConnected),
  10: entry("hashtableLookup", 0, none),
  11: entry("l2Normalization", 12, (o) => ({ activation: activation(o, 0) })),
  12: entry("l2Pool2d", 5, pool),
  13: entry("localResponseNormalization", 13, (o) => ({
    ...{ radius: int(o, 0), bias: real(o, 1), alpha: real(o, 2), beta: real(o, 3) },
  })),
  14: entry("logistic", 0, none),
  16: entry("lstm", 14, (o) => lstm(o, { cellClip: 1, projectionClip: 2, asymmetric: 4 }, false)),
  17: entry("maxPool2d", 5, pool),
  18: entry("mul", 21, (o) => ({ activation: activation(o, 0) })),
  19: entry("relu", 0, none),
  20: entry("reluN1To1", 0, none),
  21: entry("relu6", 0, none),
  22: entry("reshape", 17, reshape),
  23: entry("resizeBilinear", 15, (o) => ({ alignCorners: flag(o, 2), halfPixelCenters: flag(o, 3) })),
  24: entry("rnn", 7, (o) => ({ ...rnn(o, 0, 1), timeMajor: false, sequence: false })),
  25: entry("softmax", 9, (o) => ({ beta: real(o, 0) })),
  26: entry("spaceToDepth", 19, (o) => ({ block: int(o, 0) })),
  27: entry("svdf", 6, (o) => ({ rank: int(o, 0), activation: byte(o, 1), asymmetric: flag(o, 2) })),
  28: entry("tanh", 0, none),
  31: entry("call", 16, (o) => ({ subgraphs: [int(o, 0)], bodies: [] })),
  34: entry("pad", 0, none),
  35: entry("rnn", 31, (o) => ({ ...rnn(o, 1, 2), timeMajor: flag(o, 0), sequence: true })),
  36: entry("gather", 23, (o) => ({ axis: int(o, 0), batchDims: int(o, 1) })),
  37: entry("batchToSpace", 0, none),
  38: entry("spaceToBatch", 0, none),
  39: entry("transpose", 0, none),
  40: entry("mean", 27, reducer),
  41: entry("sub", 28, (o) => ({ activation: activation(o, 0) })),
  42: entry("div", 29, (o) => ({ activation: activation(o, 0) })),
  43: entry("squeeze", 30, (o) => ({ axes: ints(o, 0) ?? [] })),
  44: entry("lstm", 71, (o) => lstm(o, { cellClip: 1, projectionClip: 2, timeMajor: 3, asymmetric: 4 }, true)),
  45: entry("stridedSlice", 32, stridedSlice),
  46: entry("bidirectionalRnn", 70, (o) => ({ ...rnn(o, 1, 3), timeMajor: flag(o, 0), mergeOutputs: flag(o, 2) })),
  47: entry("exp", 0, none),
  48: entry("topK", 0, none),
  49: entry("split", 35, (o) => ({ count: int(o, 0) })),
  50: entry("logSoftmax", 0, none),
  52: entry("bidirectionalLstm", 69, (o) => ({
    ...lstm(o, { cellClip: 1, projectionClip: 2, asymmetric: 5 }, true),
    timeMajor: o.table === undefined || readInt8(o.table, 4, 1) !== 0,
    mergeOutputs: flag(o, 3),
  })),
  53: entry("cast", 0, none),
  54: entry("prelu", 0, none),
  55: entry("maximum", 0, none),
  56: entry("argMax", 0, none),
  57: entry("minimum", 0, none),
  58: entry("less", 0, none),
  59: entry("neg", 0, none),
  60: entry("pad", 0, none),
  61: entry("greater", 0, none),
  62: entry("greaterEqual", 0, none),
  63: entry("lessEqual", 0, none),
  64: entry("select", 0, none),
  65: entry("slice", 0, none),
  66: entry("sin", 0, none),
  67: entry("transposeConv", 49, (o) => ({
    stride: [int(o, 2), int(o, 1)],
    padding: padding(o, 0),
    activation: activation(o, 3),
  })),
  68: entry("sparseToDense", 0, none),
  69: entry("tile", 0, none),
  70: entry("expandDims", 0, none),
  71: entry("equal", 0, none),
  72: entry("notEqual", 0, none),
  73: entry("log", 0, none),
  74: entry("sum", 27, reducer),
  75: entry("sqrt", 0, none),
  76: entry("rsqrt", 0, none),
  77: entry("shape", 55, (o) => ({ dtype: byte(o, 0) === 4 ? "int64" : "int32" })),
  78: entry("pow", 0, none),
  79: entry("argMin", 0, none),
  80: entry("fakeQuant", 58, (o) => ({ min: real(o, 0), max: real(o, 1), bits: int(o, 2), narrow: flag(o, 3) })),
  81: entry("reduceProd", 27, reducer),
  82: entry("reduceMax", 27, reducer),
  83: entry("pack", 59, (o) => ({ axis: int(o, 1) })),
  84: entry("logicalOr", 0, none),
  85: entry("oneHot", 61, (o) => ({ axis: int(o, 0) })),
  86: entry("logicalAnd", 0, none),
  87: entry("logicalNot", 0, none),
  88: entry("unpack", 64, (o) => ({ count: int(o, 0), axis: int(o, 1) })),
  89: entry("reduceMin", 27, reducer),
  90: entry("floorDiv", 0, none),
  91: entry("reduceAny", 27, reducer),
  92: entry("square", 0, none),
  93: entry("zerosLike", 0, none),
  94: entry("fill", 0, none),
  95: entry("floorMod", 0, none),
  96: entry("range", 0, none),
  97: entry("resizeNearestNeighbor", 74, (o) => ({ alignCorners: flag(o, 0), halfPixelCenters: flag(o, 1) })),
  98: entry("leakyRelu", 75, (o) => ({ alpha: real(o, 0) })),
  99: entry("squaredDifference", 0, none),
  100: entry("mirrorPad", 77, (o) => ({ mode: byte(o, 0) === 1 ? "symmetric" : "reflect" })),
  101: entry("abs", 0, none),
  102: entry("splitV", 0, none),
  104: entry("ceil", 0, none),
  103: entry("unique", 0, none),
  105: entry("reverse", 0, none),
  106: entry("addN", 0, none),
  107: entry("gatherNd", 0, none),
  108: entry("cos", 0, none),
  109: entry("where", 0, none),
  110: entry("rank", 0, none),
  111: entry("elu", 0, none),
  112: entry("reverseSequence", 87, (o) => ({ sequenceAxis: int(o, 0), batchAxis: int(o, 1) })),
  113: entry("matrixDiag", 0, none),
  114: entry("quantize", 0, none),
  115: entry("matrixSetDiag", 0, none),
  116: entry("round", 0, none),
  117: entry("hardSwish", 0, none),
  118: entry("if", 92, subgraphs),
  119: entry("while", 93, subgraphs),
  120: entry("nonMaxSuppressionV4", 0, none),
  121: entry("nonMaxSuppressionV5", 0, none),
  122: entry("scatterNd", 0, none),
  123: entry("selectV2", 0, none),
  124: entry("densify", 0, none),
  125: entry("segmentSum", 0, none),
  126: entry("batchMatMul", 101, (o) => ({ adjointA: flag(o, 0), adjointB: flag(o, 1), asymmetric: flag(o, 2) })),
  128: entry("cumsum", 102, (o) => ({ exclusive: flag(o, 0), reverse: flag(o, 1) })),
  129: entry("callOnce", 103, (o) => ({ subgraphs: [int(o, 0)], bodies: [] })),
  130: entry("broadcastTo", 0, none),
  131: entry("rfft2d", 0, none),
  132: entry("conv3d", 106, volumes),
  136: entry("imag", 0, none),
  137: entry("real", 0, none),
  138: entry("complexAbs", 0, none),
  140: entry("reduceAll", 27, reducer),
  141: entry("conv3dTranspose", 106, volumes),
  142: entry("varHandle", 111, (o) => ({ key: `${text(o, 0)}/${text(o, 1)}` })),
  143: entry("readVariable", 0, none),
  144: entry("assignVariable", 0, none),
  145: entry("broadcastArgs", 0, none),
  147: entry("bucketize", 115, (o) => ({ boundaries: (o.table && readFloat32s(o.table, 0)) ?? [] })),
  150: entry("gelu", 116, (o) => ({ approximate: flag(o, 0) })),
  151: entry("dynamicUpdateSlice", 0, none),
  152: entry("relu0To1", 0, none),
  153: entry("unsortedSegmentProd", 0, none),
  154: entry("unsortedSegmentMax", 0, none),
  155: entry("unsortedSegmentSum", 0, none),
  156: entry("atan2", 0, none),
  157: entry("unsortedSegmentMin", 0, none),
  158: entry("sign", 0, none),
  159: entry("bitcast", 0, none),
  160: entry("bitwiseXor", 0, none),
  161: entry("rightShift", 0, none),
};

function entry<K extends OpKind>(kind: K, optionsType: number, attributes: (options: Options) => Attributes[K]): Entry {
  // A Node<K> is a member of the union, which the compiler does not see for a generic K.
  const node = (parts: NodeParts, options: Options) => {
    const made: Node<K> = { kind, ...parts, attributes: attributes(options) };
    return made as unknown as AnyNode;
  };
  return { optionsType, node };
}

function volumes(o: Options): Attributes["conv3d"] {
  return {
    stride: [int(o, 1), int(o, 3), int(o, 2)],
    dilation: [int(o, 5, 1), int(o, 7, 1), int(o, 6, 1)],
    padding: padding(o, 0),
    activation: activation(o, 4),
  };
}

function none(): Record<never, never> {
  return {};
}

function reducer(o: Options): Attributes["mean"] {
  return { keepDims: flag(o, 0) };
}

function pool(o: Options): Attributes["averagePool2d"] {
  return {
    filter: [int(o, 4), int(o, 3)],
    stride: [int(o, 2), int(o, 1)],
    padding: padding(o, 0),
    activation: activation(o, 5),
  };
}

function fullyConnected(o: Options): Attributes["fullyConnected"] {
  const format = o.table ? readInt8(o.table, 1, 0) : 0;
  ensure(format === 0, "UNSUPPORTED", () => ({
    where: o.where,
    expected: "weights in the default format",
    received: `weights format ${format}${format === 1 ? " (SHUFFLED4x16INT8)" : ""}`,
  }));
  return { activation: activation(o, 0), keepDims: flag(o, 2), asymmetric: flag(o, 3) };
}

function reshape(o: Options): Attributes["reshape"] {
  const shape = ints(o, 0);
  return shape === undefined ? {} : { shape };
}

function stridedSlice(o: Options): Attributes["stridedSlice"] {
  return {
    beginMask: int(o, 0),
    endMask: int(o, 1),
    ellipsisMask: int(o, 2),
    newAxisMask: int(o, 3),
    shrinkAxisMask: int(o, 4),
    offset: flag(o, 5),
  };
}

function byte({ table }: Options, field: number): number {
  return table ? readInt8(table, field, 0) : 0;
}

/** Fields of the options of an LSTM by number. */
interface LstmFields {
  readonly cellClip: number;
  readonly projectionClip: number;
  readonly timeMajor?: number;
  readonly asymmetric: number;
}

function lstm(o: Options, fields: LstmFields, sequence: boolean): Attributes["lstm"] {
  return {
    activation: byte(o, 0),
    cellClip: real(o, fields.cellClip),
    projectionClip: real(o, fields.projectionClip),
    timeMajor: fields.timeMajor !== undefined && flag(o, fields.timeMajor),
    asymmetric: flag(o, fields.asymmetric),
    sequence,
  };
}

function rnn(o: Options, activation: number, asymmetric: number): Omit<RnnAttributes, "timeMajor"> {
  return { activation: byte(o, activation), asymmetric: flag(o, asymmetric) };
}

function subgraphs(o: Options): Attributes["if"] {
  return { subgraphs: [int(o, 0), int(o, 1)], bodies: [] };
}

function text({ table }: Options, field: number): string {
  return table ? readString(table, field) : "";
}

function int({ table }: Options, field: number, fallback = 0): number {
  return table ? readInt32(table, field, fallback) : fallback;
}

function ints({ table }: Options, field: number): readonly number[] | undefined {
  return table && readInt32s(table, field);
}

function flag({ table }: Options, field: number): boolean {
  return table !== undefined && readBool(table, field);
}

function real({ table, where }: Options, field: number): number {
  const value = table ? readFloat32(table, field, 0) : 0;
  ensure(Number.isFinite(value), "INVALID_MODEL", () => ({
    where,
    expected: "finite numbers in its options",
    received: `${value}`,
  }));
  return value;
}

function padding({ table, where }: Options, field: number): "same" | "valid" {
  const value = table ? readInt8(table, field, 0) : 0;
  if (value === 0) return "same";
  if (value === 1) return "valid";
  throw new Pint8Error("INVALID_MODEL", {
    where,
    expected: "padding 0 (SAME) or 1 (VALID)",
    received: `padding ${value}`,
  });
}

/** ActivationFunctionType by number; TANH and SIGN_BIT have never been fused by a converter. */
const ACTIVATIONS: readonly (Activation | undefined)[] = ["none", "relu", "reluN1To1", "relu6"];

function activation({ table, where }: Options, field: number): Activation {
  const value = table ? readInt8(table, field, 0) : 0;
  const known = ACTIVATIONS[value];
  if (known !== undefined) return known;
  const reserved = value === 4 || value === 5;
  throw new Pint8Error(reserved ? "UNSUPPORTED" : "INVALID_MODEL", {
    where,
    expected: "activation NONE, RELU, RELU_N1_TO_1 or RELU6",
    received: reserved ? (value === 4 ? "TANH" : "SIGN_BIT") : `activation ${value}`,
  });
}
