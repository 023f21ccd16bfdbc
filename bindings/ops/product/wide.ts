/** Products whose numbers do not fit the int8 kernels: 16-bit activations, and weights with a zero point. */
import type { Activation } from "../../graph.ts";
import type { Patches } from "../../primitives/params.ts";
import {
  centre,
  columnBytes,
  packLanes,
  packWideWeights,
  type Rounding,
  statisticsOf,
  type WeightStatistics,
  wideLayout,
} from "../../primitives/product/wide.ts";
import { factorsOf } from "../../primitives/requantize/channels.ts";
import { activationRange, type Multipliers } from "../../primitives/requantize/quantization.ts";
import { packRecords } from "../../primitives/requantize/requantize.ts";
import { elementCount } from "../../tensor.ts";
import { type Constrained, inputOf, outputOf } from "../constraints.ts";
import type { Lowering } from "../types.ts";
import { lowerNineBits, moveToInt8, type Rows } from "./nineBits.ts";
import { biasValues, factorsOfNode, inputZeroPoint, int8, outputAffine, roundedChannels, within } from "./weights.ts";
import { ANY_CHUNK, anyBounds, boundsOf, chunkOf, foldedBias, rangeOf } from "./wideBounds.ts";
import { isComputed, isPackedMatrix, weightZeroPoints } from "./wideTypes.ts";

/** Weights that are known when they are run: element (channel, i) stands at channel·columnStep + i·step elements. */
interface ComputedWeights {
  readonly address: number;
  readonly k: number;
  readonly columnStep: number;
  readonly step: number;
  readonly bytes: 1 | 2;
  readonly zeroPoint: number;
  /** They stand packed in scratch, from the product before. */
  readonly packed?: true;
}

/** One convolution, or one group of it. */
export interface WideProduct extends Rows {
  /** The first output channel. */
  readonly first: number;
  /** Weights `[n][k]` less their zero points, or where they stand when they are computed. */
  readonly w: Int16Array | ComputedWeights;
  readonly reals: ArrayLike<number>;
  readonly activation: Activation;
}

/** The zero point of a channel's weights. */
function weightZeroPoint(node: Constrained, channel: number): number {
  const zeroPoints = weightZeroPoints(node);
  return zeroPoints[zeroPoints.length === 1 ? 0 : channel] as number;
}

/** How the reference rounds the node's sums. */
function lanesRounding(node: Constrained): Rounding {
  const isOnce = inputOf(node, 0).dtype === "int16" && node.attributes !== undefined && "once" in node.attributes;
  if (isOnce || isPackedMatrix(node)) return "once";
  return inputOf(node, 0).dtype === "int16" && node.inputs[2]?.dtype !== "int32" ? "upper" : "twice";
}

/** Whether activations are int8, and sums of 32 bits rounded as those of int8 weights are. */
function isBytes(node: Constrained): boolean {
  const int8s = inputOf(node, 0).dtype === "int8" && outputOf(node).dtype === "int8";
  return int8s && lanesRounding(node) === "twice" && !isComputed(node.inputs[2]);
}

/** Weights `[channels][depth]` less their zero points, of an operator whose tensor stands so, computed or not. */
export function weightsOf(
  node: Constrained,
  to: Lowering,
  first: number,
  channels: number,
  depth: number,
): Int16Array | ComputedWeights {
  const w = inputOf(node, 1);
  if (w.data !== undefined) return centred(node, first, channels, depth);
  const bytes = w.dtype === "int16" ? 2 : 1;
  return {
    address: to.input(1) + first * depth * bytes,
    k: depth,
    columnStep: depth,
    step: 1,
    bytes,
    zeroPoint: weightZeroPoint(node, 0),
  };
}

/** Constant weights of `channels` outputs less their zero points, `[channels][depth]`; `by` says where (channel, i) stands. */
export function centred(
  node: Constrained,
  first: number,
  channels: number,
  depth: number,
  by: "rows" | "columns" = "rows",
): Int16Array {
  const data = int8(inputOf(node, 1));
  const total = by === "rows" ? 0 : elementCount(inputOf(node, 1).shape) / depth;
  const w = new Int16Array(channels * depth);
  for (let c = 0; c < channels; c++) {
    const zeroPoint = weightZeroPoint(node, first + c);
    if (by === "rows") centre(w, c * depth, depth, data, (first + c) * depth, 1, zeroPoint);
    else centre(w, c * depth, depth, data, first + c, total, zeroPoint);
  }
  return w;
}

/** What finishing needs to know. */
interface Finishing {
  readonly first: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Of the weights, where they are known. */
  readonly statistics: WeightStatistics | undefined;
  /** The kernel leaves x's zero point to the bias. */
  readonly fold?: true;
  readonly reals: ArrayLike<number>;
  readonly activation: Activation;
}

/** Records and what goes with them, of n channels from `first` on, whose sums have k products. */
export function finishing(
  node: Constrained,
  to: Lowering,
  { first, m, n, k, statistics, fold, reals, activation }: Finishing,
) {
  const [x, y] = [inputOf(node, 0), outputOf(node)];
  const affine = outputAffine(node);
  const range = within(node, affine, activationRange(activation, y.dtype as "int8" | "int16", affine));
  const output = { zeroPoint: affine.zeroPoint, ...range };
  const multipliers = factorsOfNode(node, first, n, reals);
  const bias = biasValues(node.inputs[2])?.slice(first, first + n);
  const rounding = lanesRounding(node);
  const { min, max } =
    statistics === undefined || isComputed(node.inputs[2])
      ? anyBounds(n, bias, k)
      : boundsOf(statistics, bias, ...rangeOf(node));
  const bound = min.map((value, c) => Math.max(-value, max[c] as number));
  const lanes = y.dtype === "int16" || (rounding === "once" && !("scale" in multipliers));
  const wide = rounding !== "twice" && bound.some((value) => value >= 2 ** 31);
  const biasBytes = node.inputs[2]?.dtype === "int64" ? 8 : 4;
  const common = {
    bias: isComputed(node.inputs[2]) ? to.input(2) + first * biasBytes : 0,
    biasBytes,
    xBytes: x.dtype === "int16" ? 2 : 1,
    yBytes: y.dtype === "int16" ? 2 : 1,
    lanes: lanes ? 1 : 0,
    yZeroPoint: output.zeroPoint,
    lo: output.lo,
    hi: output.hi,
  };
  if (lanes && !("scale" in multipliers)) {
    const narrow = !wide && y.dtype === "int16" && common.bias === 0;
    const factors = wide && rounding === "once" ? fewerBits(multipliers) : multipliers;
    const records = packLanes(to.module, n, factors, { bias, most: bound }, rounding, narrow);
    return { fields: { ...common, q: to.place(records) }, wide, forms: "" };
  }
  const folded = fold ? statistics?.sums : undefined;
  const channels = {
    bias: foldedBias(bias, n, folded, inputZeroPoint(node)),
    min,
    max,
    ...factorsOf(multipliers, n),
    sum: folded ?? new Int32Array(n),
    zeros: 0,
  };
  const settled = roundedChannels(node, channels, output, { first, n, packer: to.packer });
  const { bytes, forms } = packRecords(to.module, settled, output, { rows: m, depth: k }, to.packer);
  return { fields: { ...common, q: to.place(bytes) }, wide, forms };
}

/** Multipliers that sums of 34 bits can be multiplied with in 64. */
function fewerBits({ multiplier, shift }: Multipliers): Multipliers {
  return { multiplier: multiplier.map((value) => (value + 4) >> 3), shift: shift.map((value) => value + 3) };
}

/** A product over patches. */
export function lowerWide(node: Constrained, to: Lowering, product: WideProduct): void {
  const { firstInput, m, n, w, xPixel, y, patches } = product;
  const known = w instanceof Int16Array ? w : undefined;
  const k = w instanceof Int16Array ? w.length / n : w.k;
  const statistics = known && statisticsOf(known, n);
  const move = statistics && isBytes(node) ? moveToInt8(to, product, statistics) : undefined;
  const fold = move !== undefined;
  const finished = finishing(node, to, { ...product, k, statistics, ...(fold ? { fold } : {}) });
  if (known && statistics && fold) {
    lowerNineBits(to, { ...product, w: known, statistics, move }, finished);
    return;
  }
  const { fields, wide } = finished;
  // of products of 16 bits by 16 bits a lane holds no two
  const spread = w instanceof Int16Array || w.bytes === 1 ? 1 : 2;
  const pairs = Math.ceil((k * spread) / 2);
  const columns = w instanceof Int16Array ? 0 : columnBytes(n, pairs);
  const { mBlock, rows, scratchBytes } = wideLayout(m, pairs, columns);
  const packed = known && statistics && packWideWeights(to.module, known, n, statistics, to.packer);
  if (!(w instanceof Int16Array) && !w.packed)
    to.call({
      kernel: "packColumns",
      params: {
        w: w.address,
        ...to.scratch(scratchBytes),
        n,
        k,
        pairs,
        spread,
        wBytes: w.bytes,
        wZeroPoint: w.zeroPoint,
        columnBytes: w.columnStep * w.bytes,
        stepBytes: w.step * w.bytes,
      },
      note: `columns ${k}x${n}`,
    });
  const chunk = statistics === undefined ? (spread === 2 ? 1 : ANY_CHUNK) : chunkOf(statistics);
  to.call({
    kernel: "productWide",
    params: {
      ...fields,
      ...patches,
      x: to.input(0) + firstInput * fields.xBytes,
      y: to.output(0) + y.first * fields.yBytes,
      w: packed ? to.place(packed.panels) : 0,
      wBytes: packed?.wBytes ?? 2,
      computed: packed ? 0 : 1,
      ...to.scratch(scratchBytes),
      m,
      n,
      pairs,
      mBlock,
      rows,
      spread,
      chunk: wide ? chunk : 0,
      xStep: (product.xStep ?? 1) * fields.xBytes,
      xPixel: xPixel * fields.xBytes,
      yPixel: y.pixel * fields.yBytes,
      yLine: y.line * fields.yBytes,
      yImage: y.image * fields.yBytes,
    },
    note: `${wide ? "64-bit" : "32-bit"} sums, ${m}x${n}x${k}`,
  });
}

/** y as rows of pixels without gaps. */
export function dense(patches: Patches, channels: number, first = 0): WideProduct["y"] {
  const line = patches.outW * channels;
  return { first, pixel: channels, line, image: patches.outH * line };
}

/** A depthwise convolution, weights int8 `[k][outputs]` as they are. */
export function lowerDepthwiseWide(
  node: Constrained,
  to: Lowering,
  { batch, ...product }: Pick<WideProduct, "n" | "patches" | "reals" | "activation"> & { readonly batch: number },
): void {
  const { n, patches } = product;
  const k = patches.kH * patches.kW;
  const w = inputOf(node, 1).data === undefined ? undefined : centred(node, 0, n, k, "columns");
  const m = batch * patches.outH * patches.outW;
  const { fields, wide } = finishing(node, to, { ...product, first: 0, m, k, statistics: w && statisticsOf(w, n) });
  to.call({
    kernel: "dwconvWide",
    params: {
      ...fields,
      ...patches,
      x: to.input(0),
      y: to.output(0),
      w: to.input(1),
      batch,
      multiplier: n / patches.inC,
      wZeroPoint: weightZeroPoint(node, 0),
      wide: wide ? 1 : 0,
      ...to.scratch(SUMS_BYTES),
    },
    note: `depthwise of ${wide ? "64-bit" : "32-bit"} sums, ${patches.kH}x${patches.kW}`,
  });
}

const SUMS_BYTES = 64;
