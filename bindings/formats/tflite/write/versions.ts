/**
 * Versions of operators: the least version of TensorFlow Lite's operator that knows these types and options. Older readers
 * refuse what they do not know by it. The rules are those of TensorFlow 2.21's versioning tool, as facts.
 */
import type { AnyNode } from "../../../graph.ts";
import { type DType, scaleOf, type Tensor } from "../../../tensor.ts";
import type { Slots } from "./flat.ts";

/** What a version depends on. */
interface Signature {
  readonly node: AnyNode;
  readonly x: readonly (Tensor | undefined)[];
  readonly y: readonly (Tensor | undefined)[];
  /** The written options. */
  readonly slots: Slots;
}

type Rule = (signature: Signature) => number;

const typeOf = ({ x }: Signature, i = 0): DType | undefined => x[i]?.dtype;
const rankOf = ({ x }: Signature) => x[0]?.shape.length ?? 0;
const isHybrid = (s: Signature, weights = 1) =>
  typeOf(s) === "float32" && typeOf(s, weights) === "int8" && s.y[0]?.dtype === "float32";
const perChannel = (tensor: Tensor | undefined) => (tensor?.quantization?.scale.length ?? 1) > 1;
const isQuantized = ({ x }: Signature) => x[0]?.quantization !== undefined;
const asymmetric = ({ node }: Signature) => (node.attributes as { readonly asymmetric?: boolean }).asymmetric === true;
/** Operands of different shapes, with more than four dimensions. */
const broadcastsWide = ({ x }: Signature) =>
  `${x[0]?.shape}` !== `${x[1]?.shape}` && Math.max(...x.map((each) => each?.shape.length ?? 0)) > 4;

/** By the type of one input alone. */
const byType =
  (versions: { readonly [D in DType]?: number }, input = 0, otherwise = 1): Rule =>
  (s) =>
    versions[typeOf(s, input) ?? "float32"] ?? otherwise;

const INT8 = byType({ int8: 2 });
const WIDE = byType({ int8: 2, int16: 3 });

const product =
  (int8: number, int16: number, int4: number, hybrid: Rule, otherwise: Rule): Rule =>
  (s) => {
    const [x, w] = [typeOf(s), typeOf(s, 1)];
    if (isHybrid(s)) return hybrid(s);
    if (x === "int16" && w === "int16") return int16;
    if (x === "int8" && w === "int8") return int8;
    return x === "int8" && w === "int4" ? int4 : otherwise(s);
  };

const RULES: { readonly [kind: string]: Rule | undefined } = {
  conv2d: (s) => {
    if (s.slots[6] !== undefined) return 8;
    const groups = s.x[0]?.shape[3] !== s.x[1]?.shape[3];
    return groups
      ? 6
      : product(
          3,
          4,
          7,
          () => (perChannel(s.x[1]) ? 5 : 2),
          () => 1,
        )(s);
  },
  depthwiseConv2d: (s) => {
    const { dilation } = s.node.attributes as { readonly dilation: readonly number[] };
    const spread = dilation.some((step) => step !== 1);
    return product(
      3,
      5,
      7,
      () => (perChannel(s.x[1]) ? 6 : 4),
      () => (spread ? 2 : 1),
    )(s);
  },
  fullyConnected: (s) => {
    const [x, w] = [typeOf(s), typeOf(s, 1)];
    if (x === "int16" && w === "int4") return 13;
    if (isHybrid(s) && perChannel(s.x[1])) return 12;
    if (s.slots[4] !== undefined) return 11;
    if (x === "int16" && w === "int16") return 7;
    if (s.x.length === 2) return 6;
    if ((s.node.attributes as { readonly keepDims?: boolean }).keepDims) return 5;
    return product(
      4,
      7,
      10,
      () => (asymmetric(s) ? 9 : 3),
      () => 1,
    )(s);
  },
  transposeConv: (s) => {
    if (s.slots[4] !== undefined) return 5;
    if (s.slots[3] !== undefined) return 4;
    return s.x[3] !== undefined ? 3 : typeOf(s, 1) === "int8" ? 2 : 1;
  },
  batchMatMul: (s) => (isHybrid(s) && asymmetric(s) ? 4 : WIDE(s)),
  embeddingLookup: (s) => (typeOf(s, 1) === "int4" || perChannel(s.x[1]) ? 4 : 1),
  svdf: (s) => (typeOf(s) === "int8" ? 3 : isHybrid(s) ? (asymmetric(s) ? 4 : 2) : 1),
  lstm: (s) => {
    const sequence = (s.node.attributes as { readonly sequence?: boolean }).sequence === true;
    const hybrid = sequence ? 2 : 3;
    if (!sequence && s.slots[3] !== undefined) return 2;
    if (typeOf(s) === "int16" && typeOf(s, 2) === "int8") return 5;
    return isHybrid(s, 2) ? (asymmetric(s) ? hybrid + 1 : hybrid) : 1;
  },
  rnn: recurrent,
  bidirectionalRnn: recurrent,
  bidirectionalLstm: recurrent,
  fakeQuant: (s) => ((s.node.attributes as { readonly narrow?: boolean }).narrow ? 2 : 1),
  gather: (s) => {
    const { batchDims } = s.node.attributes as { readonly batchDims: number };
    if (typeOf(s) === "int4") return 7;
    if (typeOf(s, 1) === "int16") return 6;
    return batchDims !== 0 ? 5 : byType({ int16: 4, bool: 3, int8: 2 })(s);
  },
  gatherNd: (s) => {
    if (typeOf(s) === "bool") return 5;
    return typeOf(s, 1) === "int16" ? 4 : byType({ int16: 3, string: 2 })(s);
  },
  sign: byType({ int32: 2 }),
  mul: (s) => {
    const type = typeOf(s);
    if (type === "float16") return 8;
    if (type === "uint32" || (type === "int16" && !isQuantized(s))) return 7;
    if (type === "complex64" || type === "int64") return type === "int64" ? 5 : 6;
    if (type === "int16") return 4;
    const [a, b, y] = [scaleOf(s.x[0]), scaleOf(s.x[1]), scaleOf(s.y[0])];
    return y !== 0 && (a * b) / y >= 1 ? 3 : INT8(s);
  },
  add: (s) => {
    const type = typeOf(s);
    if (type === "int16") return !isQuantized(s) ? 5 : s.slots[1] === undefined ? 1 : 3;
    return byType({ float16: 6, int64: 4, int8: 2 })(s);
  },
  sub: (s) => {
    if (typeOf(s) === "int16" && s.slots[1] !== undefined) return 5;
    return typeOf(s) === "int64" ? 4 : broadcastsWide(s) ? 3 : INT8(s);
  },
  div: (s) => (broadcastsWide(s) ? 2 : 1),
  maximum: extreme,
  minimum: extreme,
  averagePool2d: WIDE,
  maxPool2d: WIDE,
  transpose: (s) => {
    const rank = rankOf(s);
    if (rank > 6) return 8;
    if (typeOf(s) === "int4") return 7;
    if (rank > 5) return 6;
    if (typeOf(s) === "int16") return 5;
    return rank > 4 ? 4 : byType({ bool: 3, int8: 2 })(s);
  },
  split: byType({ int16: 4, int32: 3, int8: 2 }, 1),
  sparseToDense: byType({ int8: 3, uint8: 3, int64: 2 }, 2),
  slice: (s) => {
    if (typeOf(s) === "int4" || typeOf(s) === "uint32") return typeOf(s) === "int4" ? 7 : 6;
    return rankOf(s) > 4 ? 5 : byType({ int16: 4, string: 3, int8: 2 })(s);
  },
  unpack: byType({ int8: 2, uint8: 2, bool: 3, int16: 4, float16: 5 }),
  dequantize: (s) =>
    typeOf(s) === "int8" && perChannel(s.x[0]) ? 5 : byType({ int4: 6, int16: 3, float16: 3, int8: 2 })(s),
  quantize: (s) => {
    if (typeOf(s) === "int4" || s.y[0]?.dtype === "int4") return 4;
    if (perChannel(s.y[0])) return 3;
    return s.y[0]?.dtype === "int16" ? 2 : 1;
  },
  floorDiv: byType({ int16: 3, int8: 3, float32: 2 }),
  floorMod: byType({ int16: 2, int8: 2 }),
  l2Normalization: (s) => (s.y[0]?.dtype === "int8" ? 2 : 1),
  abs: (s) => (typeOf(s) === "int16" ? (isQuantized(s) ? 3 : 4) : byType({ int32: 5, int8: 2, uint8: 2 })(s)),
  relu: byType({ int16: 3, int8: 2, uint8: 2 }),
  stridedSlice: (s) => {
    const { offset, ellipsisMask, newAxisMask } = s.node.attributes as {
      readonly offset: boolean;
      readonly ellipsisMask: number;
      readonly newAxisMask: number;
    };
    if (offset) return 8;
    if (typeOf(s) === "uint32") return 7;
    if (ellipsisMask !== 0 || newAxisMask !== 0) return 6;
    if (typeOf(s) === "string") return 5;
    return rankOf(s) > 4 ? 4 : byType({ bool: 3, int8: 2 })(s);
  },
  reverse: byType({ int8: 3, bool: 2 }),
  resizeBilinear: (s) => (typeOf(s) === "int16" ? 4 : s.slots[3] !== undefined ? 3 : INT8(s)),
  resizeNearestNeighbor: (s) =>
    typeOf(s) === "int16" ? 4 : s.slots[0] !== undefined || s.slots[1] !== undefined ? 3 : INT8(s),
  pack: byType({ int8: 2, int16: 3, uint32: 4 }),
  tile: byType({ int8: 3, string: 2 }),
  squeeze: byType({ string: 2 }),
  spaceToBatch: blocks,
  batchToSpace: blocks,
  tanh: WIDE,
  logistic: WIDE,
  fill: byType({ float16: 4, int8: 3, int16: 3, bool: 2, string: 2 }, 1),
  equal: byType({ int16: 5, string: 3, int8: 2 }),
  notEqual: byType({ int16: 4, string: 3, int8: 2 }),
  leakyRelu: byType({ int16: 2 }),
  range: byType({ int64: 2 }),
  pad: (s) => (typeOf(s) === "bool" ? 5 : rankOf(s) > 4 ? 4 : WIDE(s)),
  concat: byType({ int4: 5, uint32: 4, int16: 3, int8: 2 }),
  softmax: WIDE,
  mean: WIDE,
  mirrorPad: WIDE,
  reduceMax: WIDE,
  reduceMin: WIDE,
  relu6: WIDE,
  rsqrt: WIDE,
  argMax: byType({ bool: 3, int8: 2 }),
  argMin: byType({ bool: 3, int8: 2 }),
  select: (s) => {
    if (typeOf(s) === "uint32") return 4;
    return s.x.some((each) => each?.shape.length === 5) ? 3 : INT8(s);
  },
  less: WIDE,
  greaterEqual: WIDE,
  selectV2: byType({ uint32: 2 }),
  ...Object.fromEntries(
    ["spaceToDepth", "splitV", "sum", "logSoftmax", "greater", "lessEqual", "squaredDifference", "depthToSpace"].map(
      (kind) => [kind, INT8] as const,
    ),
  ),
  topK: (s) => ([typeOf(s), typeOf(s, 1), s.y[1]?.dtype].includes("int16") ? 3 : INT8(s)),
  ...Object.fromEntries(["exp", "log", "reduceProd", "sqrt"].map((kind) => [kind, byType({ int8: 2, int16: 2 })])),
  dynamicUpdateSlice: (s) => byType({ int4: 5, int16: 4, float16: 3 }, 0, typeOf(s, 2) === "int64" ? 2 : 1)(s),
  broadcastTo: byType({ int8: 3, int16: 3 }, 0, 2),
  cast: (s) => {
    const types = [typeOf(s), s.y[0]?.dtype];
    if (types[0] === "int4") return 6;
    if (types.some((type) => type === "float64" || type === "float16")) return 5;
    if (types.includes("uint16")) return 4;
    return types.includes("int8") ? 3 : types.includes("uint32") ? 2 : 1;
  },
  where: byType({ bool: 1 }, 0, 2),
  gelu: byType({ int8: 2, uint8: 2 }),
};

/** The version of an operator. */
export function versionOf(signature: Signature): number {
  return RULES[signature.node.kind]?.(signature) ?? 1;
}

function recurrent(s: Signature): number {
  return typeOf(s, 1) === "int8" && s.y[0]?.dtype === "float32" ? (asymmetric(s) ? 3 : 2) : 1;
}

function extreme(s: Signature): number {
  return typeOf(s) === "int16" ? 4 : broadcastsWide(s) ? 3 : INT8(s);
}

function blocks(s: Signature): number {
  return typeOf(s) === "int16" ? 4 : rankOf(s) !== 4 ? 3 : INT8(s);
}
