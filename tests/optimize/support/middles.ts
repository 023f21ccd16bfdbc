/** Layers that can be trained, each in the middle of a network: what comes in has 6 channels and 5×4 pixels. */
import type { Attributes, TensorId } from "../../../bindings/graph.ts";
import type { Builder } from "./networks.ts";

const one = [1, 1] as const;
const pool = { filter: [2, 2], stride: [2, 2], padding: "same", activation: "none" } as const;
const plain = { activation: "none", stride: one, dilation: one, padding: "same" } as const;

/** A layer in the middle: what comes in and what goes out. */
export type Middle = (to: Builder, x: TensorId) => TensorId;

export const depthwise =
  (channels: number, attributes: object): Middle =>
  (to, x) =>
    to.node("depthwiseConv2d", [x, to.weights([1, 3, 3, channels], 0.3), to.weights([channels])], {
      ...plain,
      ...attributes,
    });
export const conv =
  (shape: readonly number[], attributes: object): Middle =>
  (to, x) =>
    to.node("conv2d", [x, to.weights(shape, 0.15), to.weights([shape[0] as number])], { ...plain, ...attributes });
export const unary =
  (
    kind: "relu" | "relu6" | "reluN1To1" | "relu0To1" | "logistic" | "tanh" | "hardSwish" | "neg" | "abs" | "square",
  ): Middle =>
  (to, x) =>
    to.node(kind, [x], {});

/** What a squeeze and excitation block multiplies by: the means of the images through a layer. */
const gate: Middle = (to, x) => {
  const mean = to.node("mean", [x, to.integers(1, 2)], { keepDims: true });
  return unary("logistic")(to, conv([6, 1, 1, 6], {})(to, mean));
};

/** Numbers above 0. */
const positive: Middle = (to, x) => unary("logistic")(to, x);

export const transposing = (
  to: Builder,
  x: TensorId,
  [h, w]: readonly [number, number],
  attributes: Partial<Attributes["transposeConv"]> = {},
): TensorId =>
  to.node(
    "transposeConv",
    [to.integers(1, h, w, 7), to.weights([7, 3, 3, 6], 0.15), x, ...(attributes.activation ? [to.weights([7])] : [])],
    { stride: [2, 2], padding: "same", activation: "none", ...attributes },
  );

/** Layer normalization as converters write it. */
const normalized: Middle = (to, x) => {
  const none = { activation: "none" } as const;
  const mean = to.node("mean", [x, to.integers(3)], { keepDims: true });
  const variance = to.node("mean", [to.node("squaredDifference", [x, mean], {}), to.integers(3)], { keepDims: true });
  const rate = to.node("rsqrt", [to.node("add", [variance, to.weights([], 0.1)], none)], {});
  return to.node("mul", [to.node("sub", [x, mean], none), rate], none);
};

export const CASES: Readonly<Record<string, Middle>> = {
  "conv2d 1x1": conv([9, 1, 1, 6], {}),
  "conv2d 3x3": conv([7, 3, 3, 6], { activation: "relu6" }),
  "conv2d 3x3 stride 2": conv([4, 3, 3, 6], { stride: [2, 2], activation: "relu" }),
  "conv2d 1x1 stride 2": conv([4, 1, 1, 6], { stride: [2, 2] }),
  "conv2d 2x3 dilated, valid": conv([10, 2, 3, 6], { dilation: [3, 1], padding: "valid" }),
  "conv2d padded": conv([5, 3, 3, 6], { padding: { top: 2, bottom: 0, left: 1, right: 2 } }),
  "conv2d of three groups": conv([9, 3, 3, 2], { stride: [2, 1] }),
  "conv2d 1x1 of two groups": conv([4, 1, 1, 3], {}),
  "depthwiseConv2d 3x3": depthwise(6, { activation: "relu6" }),
  "depthwiseConv2d 3x3 stride 2": depthwise(6, { stride: [2, 2] }),
  "depthwiseConv2d dilated": depthwise(6, { dilation: [2, 1], padding: "valid" }),
  "depthwiseConv2d multiplier 2": depthwise(12, {}),
  add: (to, x) => to.node("add", [conv([6, 1, 1, 6], {})(to, x), x], { activation: "relu" }),
  "add of one tensor": (to, x) => to.node("add", [x, x], { activation: "none" }),
  mul: (to, x) => to.node("mul", [conv([6, 1, 1, 6], {})(to, x), x], { activation: "none" }),
  "mul, clamped": (to, x) => to.node("mul", [conv([6, 1, 1, 6], {})(to, x), x], { activation: "relu" }),
  "mul by a number": (to, x) => to.node("mul", [to.weights([]), x], { activation: "none" }),
  "mul by one number of each channel": (to, x) => to.node("mul", [x, gate(to, x)], { activation: "none" }),
  "add of one number of each channel": (to, x) => to.node("add", [gate(to, x), x], { activation: "relu" }),
  "add of a constant of each channel": (to, x) => to.node("add", [x, to.weights([6])], { activation: "relu6" }),
  "add of a constant image": (to, x) => to.node("add", [x, to.weights([1, 5, 4, 1])], { activation: "none" }),
  sub: (to, x) => to.node("sub", [x, to.weights([1, 1, 1, 6])], { activation: "none" }),
  div: (to, x) => to.node("div", [x, to.weights([6], 2)], { activation: "none" }),
  concat: (to, x) => to.node("concat", [x, conv([3, 1, 1, 6], {})(to, x), x], { axis: 3, activation: "none" }),
  "concat of a constant": (to, x) => to.node("concat", [to.weights([1, 5, 2, 6]), x], { axis: 2, activation: "none" }),
  averagePool2d: (to, x) => to.node("averagePool2d", [x], pool),
  "averagePool2d overlapping": (to, x) => to.node("averagePool2d", [x], { ...pool, filter: [3, 3], padding: "same" }),
  maxPool2d: (to, x) => to.node("maxPool2d", [x], pool),
  "maxPool2d overlapping": (to, x) => to.node("maxPool2d", [x], { ...pool, filter: [3, 3], padding: "valid" }),
  relu: unary("relu"),
  relu6: (to, x) => unary("relu6")(to, conv([6, 1, 1, 6], {})(to, x)),
  reluN1To1: unary("reluN1To1"),
  logistic: unary("logistic"),
  tanh: unary("tanh"),
  hardSwish: unary("hardSwish"),
  leakyRelu: (to, x) => to.node("leakyRelu", [x], { alpha: 0.2 }),
  elu: (to, x) => to.node("elu", [x], {}),
  gelu: (to, x) => to.node("gelu", [x], { approximate: false }),
  "gelu by tanh": (to, x) => to.node("gelu", [x], { approximate: true }),
  exp: (to, x) => to.node("exp", [to.node("mul", [x, to.weights([], 0.3)], { activation: "none" })], {}),
  prelu: (to, x) => to.node("prelu", [x, to.weights([1, 1, 6])], {}),
  softmax: (to, x) => to.node("softmax", [x], { beta: 1 }),
  "softmax of another temperature": (to, x) => to.node("softmax", [x], { beta: 2.5 }),
  "layer normalization": normalized,
  "sub of two": (to, x) => to.node("sub", [conv([6, 1, 1, 6], {})(to, x), x], { activation: "relu" }),
  "mul by one number of each pixel": (to, x) =>
    to.node("mul", [x, unary("logistic")(to, conv([1, 1, 1, 6], {})(to, x))], { activation: "none" }),
  "mean of rows": (to, x) => to.node("mean", [x, to.integers(1)], { keepDims: true }),
  sum: (to, x) => to.node("sum", [x, to.integers(2)], { keepDims: true }),
  pad: (to, x) => to.node("pad", [x, to.integers(0, 0, 2, 1, 0, 1, 0, 0)], {}),
  slice: (to, x) => to.node("slice", [x, to.integers(0, 1, 0, 0), to.integers(-1, 3, -1, -1)], {}),
  resizeBilinear: (to, x) =>
    to.node("resizeBilinear", [x, to.integers(9, 7)], { alignCorners: false, halfPixelCenters: true }),
  "resizeBilinear, corners aligned": (to, x) =>
    to.node("resizeBilinear", [x, to.integers(3, 8)], { alignCorners: true, halfPixelCenters: false }),
  resizeNearestNeighbor: (to, x) =>
    to.node("resizeNearestNeighbor", [x, to.integers(10, 8)], { alignCorners: false, halfPixelCenters: false }),
  transpose: (to, x) => to.node("transpose", [x, to.integers(0, 2, 1, 3)], {}),
  "transpose, channels first and last": (to, x) =>
    to.node(
      "transpose",
      [unary("tanh")(to, to.node("transpose", [x, to.integers(0, 3, 1, 2)], {})), to.integers(0, 2, 3, 1)],
      {},
    ),
  neg: unary("neg"),
  abs: unary("abs"),
  square: unary("square"),
  relu0To1: unary("relu0To1"),
  sqrt: (to, x) => to.node("sqrt", [positive(to, x)], {}),
  log: (to, x) => to.node("log", [positive(to, x)], {}),
  ...Object.fromEntries(
    [0.5, 2, 3].map((exponent) => [
      `pow by ${exponent}`,
      (to: Builder, x: TensorId) => to.node("pow", [positive(to, x), to.floats(exponent)], {}),
    ]),
  ),
  "div by a computed tensor": (to, x) => to.node("div", [x, positive(to, x)], { activation: "none" }),
  "div by one number of each channel, clamped": (to, x) => to.node("div", [x, gate(to, x)], { activation: "relu6" }),
  "div by one number of each pixel": (to, x) =>
    to.node("div", [x, positive(to, conv([1, 1, 1, 6], {})(to, x))], { activation: "none" }),
  maximum: (to, x) => to.node("maximum", [x, conv([6, 1, 1, 6], {})(to, x)], {}),
  "maximum with a constant": (to, x) => to.node("maximum", [to.weights([1, 1, 6], 2), x], {}),
  minimum: (to, x) => to.node("minimum", [gate(to, x), x], {}),
  stridedSlice: (to, x) =>
    to.node("stridedSlice", [x, to.integers(0, 4, 0, 1), to.integers(1, 0, 4, 6), to.integers(1, -2, 2, 2)], {
      ...{ beginMask: 1, endMask: 1, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 },
    }),
  "stridedSlice of an index": (to, x) => {
    const masks = { beginMask: 1, endMask: 1, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 2 };
    const row = to.node("stridedSlice", [x, to.integers(0, 3), to.integers(0, 4), to.integers(1, 1)], masks);
    return to.node("expandDims", [row, to.integers(1)], {});
  },
  split: (to, x) => {
    const [a, b] = to.nodes("split", 2, [to.integers(3), x], { count: 2 });
    return to.node("mul", [a, unary("logistic")(to, b)], { activation: "none" });
  },
  "split, a part unused": (to, x) => to.nodes("split", 3, [to.integers(3), x], { count: 3 })[1],
  splitV: (to, x) => {
    const [a, b] = to.nodes("splitV", 2, [x, to.integers(1, 5), to.integers(3)], { count: 2 });
    return to.node("add", [a, b], { activation: "none" });
  },
  "unpack and pack": (to, x) => {
    const [a, b, c, d] = to.nodes("unpack", 4, [x], { axis: 2, count: 4 });
    return to.node("pack", [d, unary("tanh")(to, a), c, b, a], { axis: 2 });
  },
  mirrorPad: (to, x) => to.node("mirrorPad", [x, to.integers(0, 0, 1, 2, 2, 1, 0, 0)], { mode: "reflect" }),
  tile: (to, x) => to.node("tile", [x, to.integers(1, 2, 1, 2)], {}),
  broadcastTo: (to, x) =>
    to.node("broadcastTo", [to.node("mean", [x, to.integers(2)], { keepDims: true }), to.integers(1, 5, 4, 6)], {}),
  gather: (to, x) => to.node("gather", [x, to.integers(3, 0, 0, 2, 5)], { axis: 3, batchDims: 0 }),
  reverse: (to, x) => to.node("reverse", [x, to.integers(1)], {}),
  "dilated by blocks": (to, x) => {
    const blocks = to.node("spaceToBatch", [x, to.integers(2, 2), to.integers(2, 3, 2, 2)], {});
    const y = conv([6, 3, 3, 6], { padding: "valid" })(to, blocks);
    return to.node("batchToSpace", [unary("tanh")(to, y), to.integers(2, 2), to.integers(0, 1, 0, 0)], {});
  },
  // As PyTorch's attention has it: samples of a batch would stand beside the heads.
  "attention, the sequence first": (to, x) => {
    const first = to.node("transpose", [to.node("reshape", [x], { shape: [1, 20, 6] }), to.integers(1, 0, 2)], {});
    const dense = { activation: "none", keepDims: true } as const;
    const heads = () => {
      const y = to.node("fullyConnected", [first, to.weights([6, 6], 0.3), to.weights([6])], dense);
      return to.node("transpose", [to.node("reshape", [y], { shape: [20, 2, 3] }), to.integers(1, 0, 2)], {});
    };
    const [q, k, v] = [heads(), heads(), heads()];
    const scores = to.node("batchMatMul", [q, k], { adjointA: false, adjointB: true });
    const mixed = to.node("batchMatMul", [to.node("softmax", [scores], { beta: 1 }), v], {
      adjointA: false,
      adjointB: false,
    });
    const rows = to.node("reshape", [to.node("transpose", [mixed, to.integers(1, 0, 2)], {})], { shape: [20, 1, 6] });
    return to.node("reshape", [to.node("transpose", [rows, to.integers(1, 0, 2)], {})], { shape: [1, 5, 4, 6] });
  },
  depthToSpace: (to, x) => to.node("depthToSpace", [conv([8, 1, 1, 6], {})(to, x)], { block: 2 }),
  spaceToDepth: (to, x) =>
    to.node("spaceToDepth", [to.node("pad", [x, to.integers(0, 0, 0, 1, 0, 0, 0, 0)], {})], { block: 2 }),
  reduceMax: (to, x) => to.node("reduceMax", [x, to.integers(1, 2)], { keepDims: true }),
  "reduceMax of channels": (to, x) => to.node("reduceMax", [x, to.integers(-1)], { keepDims: true }),
  logSoftmax: (to, x) => to.node("logSoftmax", [x], {}),
  l2Normalization: (to, x) => to.node("l2Normalization", [x], { activation: "none" }),
  layerNorm: (to, x) => to.node("layerNorm", [x, to.weights([6]), to.weights([6])], { dimensions: 1, epsilon: 1e-3 }),
  "layerNorm of pixels, without scale": (to, x) => to.node("layerNorm", [x], { dimensions: 3, epsilon: 1e-5 }),
  transposeConv: (to, x) => transposing(to, x, [10, 8], { activation: "none" }),
  "transposeConv valid, without a bias": (to, x) => transposing(to, x, [11, 9], { padding: "valid" }),
  "transposeConv, clamped": (to, x) => transposing(to, x, [5, 4], { stride: [1, 1], activation: "relu6" }),
  transposeConvBias: (to, x) =>
    to.node("transposeConvBias", [x, to.weights([7, 3, 3, 6], 0.15), to.weights([7])], {
      ...{ stride: [2, 2], padding: "same" },
    }),
  ...Object.fromEntries(
    [0, 1, 2, 3].map((form) => [
      `batchMatMul ${["of pixels", "a adjoint", "b adjoint", "both adjoint"][form]}`,
      (to: Builder, x: TensorId) => {
        const [adjointA, adjointB] = [(form & 1) === 1, (form & 2) === 2];
        // [N,5,4,6] · [N,5,6,4] for each row.
        const other = conv([6, 1, 1, 6], {})(to, x);
        const turned = (id: TensorId) => to.node("transpose", [id, to.integers(0, 1, 3, 2)], {});
        const [a, b] = [adjointA ? turned(other) : x, adjointB ? other : turned(x)];
        return to.node("batchMatMul", [a, b], { adjointA, adjointB });
      },
    ]),
  ),
  "batchMatMul of one matrix for all rows": (to, x) => {
    const one = to.node("mean", [x, to.integers(1)], { keepDims: true });
    return to.node("batchMatMul", [x, one], { adjointA: false, adjointB: true });
  },
  "batchMatMul by a constant": (to, x) =>
    to.node("batchMatMul", [x, to.weights([6, 7])], { adjointA: false, adjointB: false }),
  attention: (to, x) => {
    const flat = to.node("reshape", [x], { shape: [1, 20, 6] });
    const heads = (by: TensorId) => {
      const split = to.node("reshape", [by], { shape: [1, 20, 2, 3] });
      return to.node("transpose", [split, to.integers(0, 2, 1, 3)], {});
    };
    const [q, k, v] = [0, 1, 2].map(() => {
      const dense = [flat, to.weights([6, 6], 0.5), to.weights([6])] as const;
      return heads(to.node("fullyConnected", dense, { activation: "none", keepDims: true }));
    }) as [TensorId, TensorId, TensorId];
    const scores = to.node("batchMatMul", [q, k], { adjointA: false, adjointB: true });
    const part = to.node("softmax", [scores], { beta: 1 });
    const mixed = to.node("batchMatMul", [part, v], { adjointA: false, adjointB: false });
    const joined = to.node("transpose", [mixed, to.integers(0, 2, 1, 3)], {});
    return to.node("reshape", [joined], { shape: [1, 5, 4, 6] });
  },
  expandDims: (to, x) => to.node("squeeze", [to.node("expandDims", [x, to.integers(1)], {})], { axes: [1] }),
};
