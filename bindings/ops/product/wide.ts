/** Products whose numbers do not fit the int8 kernels: 16-bit activations, and weights with a zero point. */
import type { Activation } from "../../graph.ts";
import type { ParamBlocks } from "../../primitives/params.ts";
import { flushAfter, foldBias, multipliersOf, packWideWeights, wideScratch } from "../../primitives/product/wide.ts";
import { activationRange } from "../../primitives/requantize/quantization.ts";
import { elementCount } from "../../tensor.ts";
import { type Constrained, inputOf, outputOf } from "../constraints.ts";
import type { Lowering } from "../types.ts";
import { biasValues, inputZeroPoint, int8 } from "./weights.ts";

/** One convolution, or one group of it. */
export interface WideProduct {
  /** Elements from the input's, output's and weights' beginning to this group's. */
  readonly group: number;
  readonly groups: number;
  readonly m: number;
  /** Outputs and products of one output of this group. */
  readonly n: number;
  readonly k: number;
  readonly xStride: number;
  readonly yStride: number;
  readonly reals: ArrayLike<number>;
  readonly activation: Activation;
  /** 2: one rounding, TensorFlow's rule for int4 weights of fully-connected layers, for which TFLite Micro has none. */
  readonly rounding?: 2;
  readonly patches: Omit<ParamBlocks["Conv2d"], keyof ParamBlocks["Gemm"]>;
}

/** True where the int8 kernels do not do. */
export function isWide(node: Constrained): boolean {
  const isPackedMatrix = inputOf(node, 1).storedBits === 4 && inputOf(node, 1).shape.length === 2;
  return (
    inputOf(node, 0).dtype === "int16" || isPackedMatrix || weightZeroPoints(node).some((zeroPoint) => zeroPoint !== 0)
  );
}

function weightZeroPoints(node: Constrained): readonly number[] {
  return inputOf(node, 1).quantization?.zeroPoint ?? [];
}

/** Weights less their zero points; weight (c, i) of `depth` stands at c·channelStride + i·depthStride of the tensor. */
export function centred(
  node: Constrained,
  first: number,
  channels: number,
  depth: number,
  byChannel: boolean,
): Int16Array {
  const data = int8(inputOf(node, 1));
  const zeroPoints = weightZeroPoints(node);
  const total = byChannel ? 0 : elementCount(inputOf(node, 1).shape) / depth;
  const w = new Int16Array(channels * depth);
  for (let c = 0; c < channels; c++) {
    const zeroPoint = zeroPoints[zeroPoints.length === 1 ? 0 : first + c] ?? 0;
    for (let i = 0; i < depth; i++) {
      const from = byChannel ? (first + c) * depth + i : i * total + first + c;
      w[byChannel ? c * depth + i : i * channels + c] = (data[from] as number) - zeroPoint;
    }
  }
  return w;
}

/** Every field of the block but weights and scratch. */
function fieldsOf(node: Constrained, to: Lowering, product: WideProduct, w: Int16Array, sums: Float64Array) {
  const { group, groups, m, n, k, xStride, yStride, reals, activation, patches } = product;
  const [x, y] = [inputOf(node, 0), outputOf(node)];
  const [xSize, ySize] = [x, y].map(({ dtype }) => (dtype === "int16" ? 2 : 1)) as [1 | 2, 1 | 2];
  const { scale = [1], zeroPoint = [0] } = y.quantization ?? {};
  const affine = { scale: scale[0] as number, zeroPoint: zeroPoint[0] ?? 0 };
  const own = reals.length === 1 ? reals : Array.from(reals).slice(group * n, (group + 1) * n);
  const { multiplier, shift } = multipliersOf(own, n);
  const bias = biasValues(node.inputs[2])?.slice(group * n, (group + 1) * n);
  return {
    x: (to.inputs[0]?.address ?? 0) + group * (groups > 1 ? patches.inC : 0) * xSize,
    y: (to.outputs[0]?.address ?? 0) + group * n * ySize,
    ...{ q: 0, m, n, k, xStride, yStride, mBlock: 0, chunk: 0, index: 0, ...patches, xSize, ySize },
    ...{ yZeroPoint: affine.zeroPoint, ...activationRange(activation, y.dtype as "int8" | "int16", affine) },
    ...{ xZeroPoint: inputZeroPoint(node), flush: flushAfter(w, xSize) },
    rounding: product.rounding ?? (x.dtype === "int16" && node.inputs[2]?.dtype !== "int32" ? 1 : 0),
    bias: to.place(foldBias(bias, sums, inputZeroPoint(node))),
    ...{ multiplier: to.place(multiplier), shift: to.place(shift) },
  };
}

/** A product over patches; weights stand `[outputs][k]`. */
export function lowerWide(node: Constrained, to: Lowering, product: WideProduct): void {
  const { group, n, k } = product;
  const w = centred(node, group * n, n, k, true);
  const sums = new Float64Array(n);
  for (let c = 0; c < n; c++) for (let i = 0; i < k; i++) sums[c] = (sums[c] as number) + (w[c * k + i] as number);
  to.call({
    kernel: "convWide",
    params: {
      ...fieldsOf(node, to, product, w, sums),
      ...{ w: to.place(packWideWeights(to.module, w, n, k)), ...to.scratch(wideScratch(k)) },
    },
    note: `wide ${product.m}x${n}x${k}`,
  });
}

/** A depthwise convolution; weights stand `[k][outputs]`. */
export function lowerDepthwiseWide(node: Constrained, to: Lowering, product: WideProduct): void {
  const { n, k } = product;
  const w = centred(node, 0, n, k, false);
  const sums = new Float64Array(n);
  for (let i = 0; i < k; i++) for (let c = 0; c < n; c++) sums[c] = (sums[c] as number) + (w[i * n + c] as number);
  to.call({
    kernel: "dwconvWide",
    params: { ...fieldsOf(node, to, product, w, sums), w: to.place(new Uint8Array(w.buffer)), ...to.scratch(0) },
    note: `wide depthwise ${product.m}x${n}x${k}`,
  });
}
