/** Operators of the file ↔ nodes of the graph: one entry per BuiltinOperator. */
import { type Entry, entry, requireDefaultFormat } from "./entries.ts";
import { activation, byte, choice, fixed, flag, int, ints, key, longs, padding, real, reals } from "./options.ts";

const POOL = {
  filter: [int(4), int(3)],
  stride: [int(2), int(1)],
  padding: padding(0),
  activation: activation(5),
};
const REDUCER = { keepDims: flag(0) };
const FULLY_CONNECTED = { activation: activation(0), keepDims: flag(2), asymmetric: flag(3) };
const STRIDED_SLICE = {
  beginMask: int(0),
  endMask: int(1),
  ellipsisMask: int(2),
  newAxisMask: int(3),
  shrinkAxisMask: int(4),
  offset: flag(5),
};

type Entries = { readonly [code: number]: Entry | undefined };

/** Operators of ordinary networks by their BuiltinOperator numbers. */
const ORDINARY: Entries = {
  0: entry("add", 11, { activation: activation(0) }),
  1: entry("averagePool2d", 5, POOL),
  2: entry("concat", 10, { axis: int(0), activation: activation(1) }),
  3: entry("conv2d", 1, {
    stride: [int(2), int(1)],
    dilation: [int(5, 1), int(4, 1)],
    padding: padding(0),
    activation: activation(3),
  }),
  4: entry("depthwiseConv2d", 2, {
    stride: [int(2), int(1)],
    dilation: [int(6, 1), int(5, 1)],
    padding: padding(0),
    activation: activation(4),
  }),
  6: entry("dequantize", 0, {}),
  9: entry("fullyConnected", 8, FULLY_CONNECTED, requireDefaultFormat),
  14: entry("logistic", 0, {}),
  17: entry("maxPool2d", 5, POOL),
  18: entry("mul", 21, { activation: activation(0) }),
  19: entry("relu", 0, {}),
  20: entry("reluN1To1", 0, {}),
  21: entry("relu6", 0, {}),
  22: entry("reshape", 17, { shape: ints(0) }),
  23: entry("resizeBilinear", 15, { alignCorners: flag(2), halfPixelCenters: flag(3) }),
  25: entry("softmax", 9, { beta: real(0) }),
  28: entry("tanh", 0, {}),
  34: entry("pad", 0, {}),
  39: entry("transpose", 0, {}),
  40: entry("mean", 27, REDUCER),
  41: entry("sub", 28, { activation: activation(0) }),
  43: entry("squeeze", 30, { axes: ints(0, []) }),
  45: entry("stridedSlice", 32, STRIDED_SLICE),
  49: entry("split", 35, { count: int(0) }),
  60: entry("pad", 0, {}),
  65: entry("slice", 0, {}),
  70: entry("expandDims", 0, {}),
  77: entry("shape", 55, { dtype: choice(0, [2, "int32"], [4, "int64"]) }),
  83: entry("pack", 59, { axis: int(1) }),
  97: entry("resizeNearestNeighbor", 74, { alignCorners: flag(0), halfPixelCenters: flag(1) }),
  98: entry("leakyRelu", 75, { alpha: real(0) }),
  114: entry("quantize", 0, {}),
  117: entry("hardSwish", 0, {}),
  152: entry("relu0To1", 0, {}),
};

/** All others, which are made when a file has one: a page that runs an ordinary network waits for none of them. */
function makeOthers(): Entries {
  const VOLUMES = {
    stride: [int(1), int(3), int(2)],
    dilation: [int(5, 1), int(7, 1), int(6, 1)],
    padding: padding(0),
    activation: activation(4),
  };
  const LSTM = { activation: byte(0), cellClip: real(1), projectionClip: real(2), sequence: fixed(true) };
  const rnn = (activationAt: number, asymmetricAt: number) => ({
    activation: byte(activationAt),
    asymmetric: flag(asymmetricAt),
  });
  const SEEDS = { seed: int(0), seed2: int(1) };
  const none = fixed([]);
  const NO_WINDOW = { window: none, stride: none, baseDilation: none, dilation: none, padding: none };
  const BODIES = { subgraphs: [int(0), int(1)], bodies: fixed([]) };
  return {
    5: entry("depthToSpace", 94, { block: int(0) }),
    7: entry("embeddingLookup", 0, {}),
    8: entry("floor", 0, {}),
    10: entry("hashtableLookup", 0, {}),
    11: entry("l2Normalization", 12, { activation: activation(0) }),
    12: entry("l2Pool2d", 5, POOL),
    13: entry("localResponseNormalization", 13, {
      radius: int(0),
      bias: real(1),
      alpha: real(2),
      beta: real(3),
    }),
    16: entry("lstm", 14, { ...LSTM, timeMajor: fixed(false), asymmetric: flag(4), sequence: fixed(false) }),
    24: entry("rnn", 7, { ...rnn(0, 1), timeMajor: fixed(false), sequence: fixed(false) }),
    26: entry("spaceToDepth", 19, { block: int(0) }),
    27: entry("svdf", 6, { rank: int(0), activation: byte(1), asymmetric: flag(2) }),
    31: entry("call", 16, { subgraphs: [int(0)], bodies: fixed([]) }),
    35: entry("rnn", 31, { ...rnn(1, 2), timeMajor: flag(0), sequence: fixed(true) }),
    36: entry("gather", 23, { axis: int(0), batchDims: int(1) }),
    37: entry("batchToSpace", 0, {}),
    38: entry("spaceToBatch", 0, {}),
    42: entry("div", 29, { activation: activation(0) }),
    44: entry("lstm", 71, { ...LSTM, timeMajor: flag(3), asymmetric: flag(4), sequence: fixed(true) }),
    46: entry("bidirectionalRnn", 70, { ...rnn(1, 3), timeMajor: flag(0), mergeOutputs: flag(2) }),
    47: entry("exp", 0, {}),
    48: entry("topK", 0, {}),
    50: entry("logSoftmax", 0, {}),
    52: entry("bidirectionalLstm", 69, {
      ...LSTM,
      timeMajor: flag(4, true),
      asymmetric: flag(5),
      mergeOutputs: flag(3),
    }),
    53: entry("cast", 0, {}),
    54: entry("prelu", 0, {}),
    55: entry("maximum", 0, {}),
    56: entry("argMax", 0, {}),
    57: entry("minimum", 0, {}),
    58: entry("less", 0, {}),
    59: entry("neg", 0, {}),
    61: entry("greater", 0, {}),
    62: entry("greaterEqual", 0, {}),
    63: entry("lessEqual", 0, {}),
    64: entry("select", 0, {}),
    66: entry("sin", 0, {}),
    67: entry("transposeConv", 49, {
      stride: [int(2), int(1)],
      padding: padding(0),
      activation: activation(3),
    }),
    68: entry("sparseToDense", 0, {}),
    69: entry("tile", 0, {}),
    71: entry("equal", 0, {}),
    72: entry("notEqual", 0, {}),
    73: entry("log", 0, {}),
    74: entry("sum", 27, REDUCER),
    75: entry("sqrt", 0, {}),
    76: entry("rsqrt", 0, {}),
    78: entry("pow", 0, {}),
    79: entry("argMin", 0, {}),
    80: entry("fakeQuant", 58, { min: real(0), max: real(1), bits: int(2), narrow: flag(3) }),
    81: entry("reduceProd", 27, REDUCER),
    82: entry("reduceMax", 27, REDUCER),
    84: entry("logicalOr", 0, {}),
    85: entry("oneHot", 61, { axis: int(0) }),
    86: entry("logicalAnd", 0, {}),
    87: entry("logicalNot", 0, {}),
    88: entry("unpack", 64, { count: int(0), axis: int(1) }),
    89: entry("reduceMin", 27, REDUCER),
    90: entry("floorDiv", 0, {}),
    91: entry("reduceAny", 27, REDUCER),
    92: entry("square", 0, {}),
    93: entry("zerosLike", 0, {}),
    94: entry("fill", 0, {}),
    95: entry("floorMod", 0, {}),
    96: entry("range", 0, {}),
    99: entry("squaredDifference", 0, {}),
    100: entry("mirrorPad", 77, { mode: choice(0, [0, "reflect"], [1, "symmetric"]) }),
    101: entry("abs", 0, {}),
    102: entry("splitV", 0, {}),
    104: entry("ceil", 0, {}),
    103: entry("unique", 0, {}),
    105: entry("reverse", 0, {}),
    106: entry("addN", 0, {}),
    107: entry("gatherNd", 0, {}),
    108: entry("cos", 0, {}),
    109: entry("where", 0, {}),
    110: entry("rank", 0, {}),
    111: entry("elu", 0, {}),
    112: entry("reverseSequence", 87, { sequenceAxis: int(0), batchAxis: int(1) }),
    113: entry("matrixDiag", 0, {}),
    115: entry("matrixSetDiag", 0, {}),
    116: entry("round", 0, {}),
    118: entry("if", 92, BODIES),
    119: entry("while", 93, BODIES),
    120: entry("nonMaxSuppressionV4", 0, {}),
    121: entry("nonMaxSuppressionV5", 0, {}),
    122: entry("scatterNd", 0, {}),
    123: entry("selectV2", 0, {}),
    124: entry("densify", 0, {}),
    125: entry("segmentSum", 0, {}),
    126: entry("batchMatMul", 101, { adjointA: flag(0), adjointB: flag(1), asymmetric: flag(2) }),
    128: entry("cumsum", 102, { exclusive: flag(0), reverse: flag(1) }),
    129: entry("callOnce", 103, { subgraphs: [int(0)], bodies: fixed([]) }),
    130: entry("broadcastTo", 0, {}),
    131: entry("rfft2d", 0, {}),
    132: entry("conv3d", 106, VOLUMES),
    133: entry("imag", 0, {}),
    134: entry("real", 0, {}),
    135: entry("complexAbs", 0, {}),
    140: entry("reduceAll", 27, REDUCER),
    141: entry("conv3dTranspose", 106, VOLUMES),
    142: entry("varHandle", 111, { key: key(0) }),
    143: entry("readVariable", 0, {}),
    144: entry("assignVariable", 0, {}),
    145: entry("broadcastArgs", 0, {}),
    146: entry("random", 114, { ...SEEDS, of: fixed("normal") }),
    147: entry("bucketize", 115, { boundaries: reals(0) }),
    148: entry("random", 114, { ...SEEDS, of: fixed("uniform") }),
    149: entry("random", 114, { ...SEEDS, of: fixed("classes") }),
    150: entry("gelu", 116, { approximate: flag(0) }),
    151: entry("dynamicUpdateSlice", 0, {}),
    153: entry("unsortedSegmentProd", 0, {}),
    154: entry("unsortedSegmentMax", 0, {}),
    155: entry("unsortedSegmentSum", 0, {}),
    156: entry("atan2", 0, {}),
    157: entry("unsortedSegmentMin", 0, {}),
    158: entry("sign", 0, {}),
    159: entry("bitcast", 0, {}),
    160: entry("bitwiseXor", 0, {}),
    161: entry("rightShift", 0, {}),
    163: entry("add", 0, { activation: fixed("none") }),
    165: entry("mul", 0, { activation: fixed("none") }),
    166: entry("maximum", 0, {}),
    181: entry("minimum", 0, {}),
    190: entry("scatter", -7, {
      ...{ windows: longs(1), inserted: longs(2), indexed: longs(3), vector: int(4), subgraphs: [int(6)] },
      bodies: fixed([]),
    }),
    198: entry("reduceWindow", -13, {
      ...{ window: longs(0), stride: longs(1), baseDilation: longs(2), dilation: longs(3), padding: longs(4) },
      ...{ subgraphs: [int(5)], bodies: fixed([]), of: fixed(0) },
    }),
    203: entry("dilate", 0, {}),
    205: entry("reduceWindow", -20, { ...NO_WINDOW, subgraphs: fixed([]), bodies: fixed([]), of: int(0) }),
    206: entry("call", -21, { subgraphs: [int(1, -1)], bodies: fixed([]) }),
    208: entry("cbrt", 0, {}),
  };
}

let others: Entries | undefined;

/** An operator by its BuiltinOperator number; undefined where it is not known. */
export function entryOf(code: number): Entry | undefined {
  if (ORDINARY[code] !== undefined) return ORDINARY[code];
  others ??= makeOthers();
  return others[code];
}

/** All of them. */
export const allEntries = (): Entries => ({ ...ORDINARY, ...makeOthers() });
