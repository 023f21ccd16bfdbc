/** Operators of the file → nodes of the graph: one entry per BuiltinOperator. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { Activation, AnyNode, Attributes, Node, OpKind, Padding } from "../../graph.ts";
import { type FlatTable, readBool, readFloat32, readInt8, readInt32, readInt32s } from "./flatbuffer.ts";

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
  6: entry("dequantize", 0, none),
  9: entry("fullyConnected", 8, fullyConnected),
  11: entry("l2Normalization", 12, (o) => ({ activation: activation(o, 0) })),
  12: entry("l2Pool2d", 5, pool),
  13: entry("localResponseNormalization", 13, (o) => ({
    ...{ radius: int(o, 0), bias: real(o, 1), alpha: real(o, 2), beta: real(o, 3) },
  })),
  14: entry("logistic", 0, none),
  17: entry("maxPool2d", 5, pool),
  18: entry("mul", 21, (o) => ({ activation: activation(o, 0) })),
  19: entry("relu", 0, none),
  20: entry("reluN1To1", 0, none),
  21: entry("relu6", 0, none),
  22: entry("reshape", 17, reshape),
  23: entry("resizeBilinear", 15, (o) => ({ alignCorners: flag(o, 2), halfPixelCenters: flag(o, 3) })),
  25: entry("softmax", 9, (o) => ({ beta: real(o, 0) })),
  28: entry("tanh", 0, none),
  34: entry("pad", 0, none),
  39: entry("transpose", 0, none),
  40: entry("mean", 27, reducer),
  41: entry("sub", 28, (o) => ({ activation: activation(o, 0) })),
  43: entry("squeeze", 30, (o) => ({ axes: ints(o, 0) ?? [] })),
  48: entry("topK", 0, none),
  50: entry("logSoftmax", 0, none),
  56: entry("argMax", 0, none),
  60: entry("pad", 0, none),
  70: entry("expandDims", 0, none),
  74: entry("sum", 27, reducer),
  79: entry("argMin", 0, none),
  81: entry("reduceProd", 27, reducer),
  82: entry("reduceMax", 27, reducer),
  85: entry("oneHot", 61, (o) => ({ axis: int(o, 0) })),
  89: entry("reduceMin", 27, reducer),
  91: entry("reduceAny", 27, reducer),
  97: entry("resizeNearestNeighbor", 74, (o) => ({ alignCorners: flag(o, 0), halfPixelCenters: flag(o, 1) })),
  98: entry("leakyRelu", 75, (o) => ({ alpha: real(o, 0) })),
  113: entry("matrixDiag", 0, none),
  114: entry("quantize", 0, none),
  115: entry("matrixSetDiag", 0, none),
  117: entry("hardSwish", 0, none),
  125: entry("segmentSum", 0, none),
  128: entry("cumsum", 102, (o) => ({ exclusive: flag(o, 0), reverse: flag(o, 1) })),
  140: entry("reduceAll", 27, reducer),
  153: entry("unsortedSegmentProd", 0, none),
  154: entry("unsortedSegmentMax", 0, none),
  155: entry("unsortedSegmentSum", 0, none),
  157: entry("unsortedSegmentMin", 0, none),
};

function entry<K extends OpKind>(kind: K, optionsType: number, attributes: (options: Options) => Attributes[K]): Entry {
  // A Node<K> is a member of the union, which the compiler does not see for a generic K.
  const node = (parts: NodeParts, options: Options) => {
    const made: Node<K> = { kind, ...parts, attributes: attributes(options) };
    return made as unknown as AnyNode;
  };
  return { optionsType, node };
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
  return { activation: activation(o, 0), keepDims: flag(o, 2) };
}

function reshape(o: Options): Attributes["reshape"] {
  const shape = ints(o, 0);
  return shape === undefined ? {} : { shape };
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

function padding({ table, where }: Options, field: number): Padding {
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
