/** Every layer that is a matrix product: the choice of its kernel, its packed weights and its parameter block. */

import type { ParamBlocks, Patches } from "../../primitives/params.ts";
import { type Direct, directLayout, takesDirect } from "../../primitives/product/direct.ts";
import { blocking, vectorScratch, wideningPays } from "../../primitives/product/gemm.ts";
import { type Ends, narrowLayout, runStep } from "../../primitives/product/narrow.ts";
import { packFew, packPanels, packWide } from "../../primitives/product/panels.ts";
import { choosePacking, columnsScratch, type Sparse } from "../../primitives/product/sparse.ts";
import { takesWinograd, winogradLayout } from "../../primitives/product/winograd.ts";
import type { Output } from "../../primitives/requantize/types.ts";
import type { Constrained } from "../constraints.ts";
import type { Lowering, ScratchAddress } from "../types.ts";
import { placeRecords } from "./weights.ts";

/** y[m,n] = requantize(A[m,k] · data[n,k]ᵀ), rows `xStride` and `yStride` bytes apart. */
interface Product {
  readonly x: number;
  readonly y: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly xStride: number;
  readonly yStride: number;
  readonly data: Int8Array;
  readonly output: Output;
  /** Which of the node's output channels is the first here. */
  readonly first: number;
  /** Present where the rows of A are patches of images, `[kH,kW,inC]`; absent where A stands in memory. */
  readonly patches?: Patches | undefined;
  /** How many times the node's channels from `first` on follow each other, n in all; once where absent. */
  readonly repeat?: number;
  /** By how many channels the last tile of an output row begins earlier: the direct kernel's alone. */
  readonly back?: number;
}

/** Rows from which the tile that shares weights between rows beats one row at a time. */
const GEMM_ROWS = 3;
/** Steps that any weights can sum in a lane of the scalar module: 32·128·128 < 2^20. */
const SPARSE_CHUNK = 32;

/** What every kernel of a product is given. */
type Gemm = ParamBlocks["Gemm"];

export function lowerProduct(node: Constrained, to: Lowering, given: Product, ends: Ends = "anywhere"): void {
  const product = standing(upright(to, given, ends));
  const { n, k, m, output } = product;
  const weights = { data: product.data, channels: n, depth: k, channelStride: k, depthStride: 1 };
  const { q, forms, data, zeros } = placeRecords(node, to, weights, output, m, product);
  const size = `${m}x${n}x${k}, requantize ${forms}`;
  if (product.back) {
    const direct = directOf(to, product, data, forms);
    if (direct) lowerDirect(to, product, direct, q, size);
    else lowerProduct(node, to, given, "whole");
    return;
  }
  const rows = {
    m,
    patches: product.patches !== undefined,
    vector: isVector(product),
    dense: () => denseTime(to, product, forms),
  };
  const choice = choosePacking(to.module, data, n, k, zeros, rows);
  if (choice.kind === "blocks") lowerBlocks(to, product, data, choice.sparse, q, size);
  else if (choice.kind === "columns") lowerColumns(to, product, choice.sparse, q, size);
  else if (rows.vector) lowerVector(to, product, data, q, size);
  else lowerDense(to, product, data, q, size, forms);
}

/** Several outputs of a row one product, where that serves better. */
function upright(to: Lowering, product: Product, ends: Ends): Product {
  const { patches, n, m, xStride, yStride } = product;
  if (patches === undefined || xStride !== patches.inC || yStride !== n) return product;
  const narrow = narrowLayout(to.module, to.optimize, product.data, n, patches, ends);
  if (narrow === undefined) return product;
  const windows = (m / patches.outH / patches.outW) * narrow.patches.outH * narrow.patches.outW;
  return { ...product, ...narrow, back: narrow.back * n, m: windows, xStride: narrow.patches.inC, yStride: narrow.n };
}

/** Windows that are runs of memory, one or each as far behind the one before: rows of A that stand there. */
function standing(product: Product): Product {
  const { patches: g, m, xStride, back } = product;
  if (g === undefined || xStride !== g.inC || back) return product;
  const step = runStep(g);
  const regular = g.outH * g.outW === 1 || m === g.outH * g.outW;
  return step === undefined || !regular ? product : { ...product, xStride: step, patches: undefined };
}

/** One or two rows, which cannot share what is read of B. */
function isVector({ m, patches }: Product): boolean {
  return m < GEMM_ROWS && patches === undefined;
}

/** The parameter block of dense rows; kernels that need more of it say so. */
function gemmOf(
  { x, y, m, n, k, xStride, yStride, output }: Product,
  q: number,
): Omit<Gemm, "w" | keyof ScratchAddress> {
  return {
    x,
    y,
    q,
    m,
    n,
    k,
    xStride,
    yStride,
    mBlock: 0,
    chunk: 0,
    index: 0,
    yZeroPoint: output.zeroPoint,
    lo: output.lo,
    hi: output.hi,
  };
}

/** Time of the kernel that `lowerDense` takes by that of tiles over patches, some per cent on the safe side. */
function denseTime({ module, optimize }: Lowering, { n, xStride, patches }: Product, forms: string): number {
  if (!patches) return 1;
  if (optimize === "speed" && takesWinograd(module, n, xStride, forms, patches)) return 0.45;
  if (!takesDirect(module, n, xStride, forms, patches)) return 1;
  return module === "simd" ? 0.9 : 0.72;
}

/** How much of B a sparse packing keeps, and what that saves, for `inspect`. */
function kept({ blocks, total, weights, index }: Sparse, { n, k }: Product, unit: string): string {
  const saved = n * k - weights.length - index.length;
  return `${((100 * blocks) / total).toFixed(0)} % of ${unit} kept, ${saved} bytes saved`;
}

function lowerBlocks(to: Lowering, product: Product, data: Int8Array, sparse: Sparse, q: number, size: string): void {
  const { m, k, patches } = product;
  const { mBlock, scratchBytes } = blocking(to.module, m, k, data, patches !== undefined);
  const params = {
    ...gemmOf(product, q),
    w: to.place(sparse.weights),
    index: to.place(sparse.index),
    mBlock,
    chunk: SPARSE_CHUNK,
    ...to.scratch(scratchBytes),
  };
  const note = `${size}, ${kept(sparse, product, "blocks")}`;
  if (patches === undefined) to.call({ kernel: "spmm", params, note: `spmm ${note}` });
  else to.call({ kernel: "sparseConv2d", params: { ...params, ...patches }, note: `im2col spmm ${note}` });
}

function lowerColumns(to: Lowering, product: Product, sparse: Sparse, q: number, size: string): void {
  to.call({
    kernel: "spmmColumns",
    params: {
      ...gemmOf(product, q),
      w: to.place(sparse.weights),
      index: to.place(sparse.index),
      ...to.scratch(columnsScratch(to.module, product.k)),
    },
    note: `spmm by columns ${size}, ${kept(sparse, product, "steps")}`,
  });
}

function lowerVector(to: Lowering, product: Product, data: Int8Array, q: number, size: string): void {
  const { n, k, m } = product;
  const few = packFew(to.module, data, n, k);
  const wide = few ? to.module === "simd" : to.optimize === "speed" && wideningPays(to.module, n, k);
  const { chunk } = blocking(to.module, m, k, data, false);
  const w = to.place(few ?? (wide ? packWide : packPanels)(to.module, data, n, k, to.packer));
  const mBlock = few ? 1 : 0;
  const params = { ...gemmOf(product, q), w, mBlock, chunk, ...to.scratch(vectorScratch(to.module, k)) };
  if (wide) to.call({ kernel: "gemvWide", params, note: `gemv of widened weights ${size}` });
  else to.call({ kernel: "gemv", params, note: `gemv ${size}` });
}

function lowerDense(to: Lowering, product: Product, data: Int8Array, q: number, size: string, forms: string): void {
  const { m, n, k, xStride, patches } = product;
  const tiles = to.optimize === "speed" && patches && winogradLayout(to.module, data, n, xStride, forms, patches);
  if (tiles) {
    const { k: channels, mBlock, scratchBytes } = tiles;
    const w = to.place(tiles.weights);
    const gemm = { ...gemmOf(product, q), w, k: channels, mBlock, ...to.scratch(scratchBytes) };
    to.call({ kernel: "winograd", params: { ...gemm, ...patches }, note: `winograd ${size}` });
    return;
  }
  const direct = directOf(to, product, data, forms);
  if (direct) {
    lowerDirect(to, product, direct, q, size);
    return;
  }
  const { mBlock, chunk, scratchBytes } = blocking(to.module, m, k, data, patches !== undefined);
  const w = to.place(packPanels(to.module, data, n, k, to.packer));
  const params = { ...gemmOf(product, q), w, mBlock, chunk, ...to.scratch(scratchBytes) };
  if (patches === undefined) to.call({ kernel: "gemm", params, note: `gemm ${size}` });
  else to.call({ kernel: "conv2d", params: { ...params, ...patches }, note: `im2col gemm ${size}` });
}

function directOf(to: Lowering, { n, xStride, patches }: Product, data: Int8Array, forms: string) {
  return patches && directLayout(to.module, data, n, xStride, forms, patches);
}

function lowerDirect(to: Lowering, product: Product, direct: Direct<Int8Array>, q: number, size: string): void {
  const { n, patches, back = 0 } = product;
  if (patches === undefined) return;
  const { data, k, mBlock, scratchBytes } = direct;
  const w = to.place(packPanels(to.module, data, n, k, to.packer));
  const gemm = { ...gemmOf(product, q), w, k, mBlock, chunk: back, ...to.scratch(scratchBytes) };
  to.call({ kernel: "directConv2d", params: { ...gemm, ...patches }, note: `direct conv ${size}` });
}
