/** Products of int8 with weights of nine bits, which are those of legacy uint8 less their zero points, by the kernels of int8. */
import type { ParamBlocks, Patches } from "../../primitives/params.ts";
import { directLayout } from "../../primitives/product/direct.ts";
import { blocking, termsBytes, vectorScratch } from "../../primitives/product/gemm.ts";
import { packPanels } from "../../primitives/product/panels.ts";
import { packWideWeights, type WeightStatistics } from "../../primitives/product/wide.ts";
import type { Lowering } from "../types.ts";

/** Where a product's rows stand; strides count elements. */
export interface Rows {
  /** The first input channel. */
  readonly firstInput: number;
  readonly m: number;
  readonly n: number;
  readonly xPixel: number;
  /** From one of a row's elements to the next; 1 where absent. */
  readonly xStep?: number;
  readonly y: { readonly first: number; readonly pixel: number; readonly line: number; readonly image: number };
  readonly patches: Patches;
}

/** Its weights `[n][k]`, and what is added to them. */
interface NineBits {
  readonly w: Int16Array;
  readonly statistics: WeightStatistics;
  readonly move: number;
}

/** Its records, and the clamp of y. */
interface Finished {
  readonly forms: string;
  readonly fields: Pick<ParamBlocks["Gemm"], "q" | "yZeroPoint" | "lo" | "hi">;
}

/** Rows from which the tile that shares weights between rows beats one row at a time. */
const GEMM_ROWS = 3;

/**
 * What the kernels of int8 add to all weights, where they do: nothing in `simd`, whose panels may be int16, and what makes them int8 in `relaxed`, whose
 * rows may have terms; on rows of int8 that stand one after the other.
 */
export function moveToInt8(
  { module }: Lowering,
  { xStep = 1, y, patches }: Rows,
  statistics: WeightStatistics,
): number | undefined {
  const line = patches.outW * y.pixel;
  const fits =
    xStep === 1 &&
    (patches.outH * patches.outW === 1 || y.line === line) &&
    (y.image === patches.outH * line || patches.outH * patches.outW === 0);
  if (module === "scalar" || !fits) return undefined;
  return module === "simd" ? 0 : moveOf(statistics);
}

/** What, added to all weights, makes them int8. */
function moveOf({ least, greatest }: WeightStatistics): number | undefined {
  if (greatest - least > 255) return undefined;
  return Math.max(-128 - least, 0) || Math.min(127 - greatest, 0);
}

/** Weights and what is added to them. */
function movedBy(w: Int16Array, move: number): Int8Array {
  const moved = new Int8Array(w.length);
  for (let i = 0; i < w.length; i++) moved[i] = (w[i] as number) + move;
  return moved;
}

/** The product with records that take x's zero point off, by what `moveToInt8` says. */
export function lowerNineBits(
  to: Lowering,
  { firstInput, m, n, w, statistics, move, xPixel, y, patches }: Rows & NineBits,
  { fields, forms }: Finished,
): void {
  const k = w.length / n;
  const { q, yZeroPoint, lo, hi } = fields;
  const x = to.input(0) + firstInput;
  const common = {
    x,
    y: to.output(0) + y.first,
    q,
    m,
    n,
    xStride: xPixel,
    yStride: y.pixel,
    chunk: 0,
    yZeroPoint,
    lo,
    hi,
  };
  const size = `${m}x${n}x${k}, requantize ${forms}, weights of nine bits`;
  const { kH, kW, strideH, strideW, padTop, padLeft, inH, inW, outH, outW } = patches;
  const padded = padTop > 0 || padLeft > 0 || outH !== inH || outW !== inW;
  const pixels = kH === 1 && kW === 1 && strideH === 1 && strideW === 1 && !padded;
  if (pixels && m < GEMM_ROWS) {
    const { w: panels, index } = packed(to, w, n, statistics, move);
    const params = { ...common, k, w: panels, mBlock: 0, index, ...to.scratch(vectorScratch(to.module, k)) };
    to.call({ kernel: index && to.module === "simd" ? "gemvWide" : "gemv", params, note: `gemv ${size}` });
    return;
  }
  // the direct kernel has no terms
  const direct = pixels || move !== 0 ? undefined : directLayout(to.module, w, n, xPixel, forms, patches);
  if (direct) {
    const { mBlock, scratchBytes } = direct;
    const panels = packed(to, direct.data, n, statistics, move);
    const params = { ...common, k: direct.k, ...panels, mBlock, ...to.scratch(scratchBytes) };
    to.call({ kernel: "directConv2d", params: { ...params, ...patches }, note: `direct conv ${size}` });
    return;
  }
  const { mBlock, scratchBytes } = blocking(to.module, m, k, new Int8Array(0), !pixels);
  const panels = packed(to, w, n, statistics, move);
  const terms = move === 0 ? 0 : termsBytes(mBlock);
  const params = { ...common, k, ...panels, mBlock, ...to.scratch(scratchBytes + terms) };
  if (pixels) to.call({ kernel: "gemm", params, note: `gemm ${size}` });
  else to.call({ kernel: "conv2d", params: { ...params, ...patches }, note: `im2col gemm ${size}` });
}

/** Panels, and whether their elements are int16, or by what terms of the relaxed module are multiplied, whose weights are moved. */
function packed(
  to: Lowering,
  data: Int16Array,
  n: number,
  statistics: WeightStatistics,
  move: number,
): { readonly w: number; readonly index: number } {
  if (to.module === "relaxed") {
    return {
      w: to.place(packPanels(to.module, movedBy(data, move), n, data.length / n, to.packer)),
      index: -move >>> 0,
    };
  }
  const { panels, wBytes } = packWideWeights(to.module, data, n, statistics, to.packer);
  return { w: to.place(panels), index: wBytes === 2 ? 1 : 0 };
}
