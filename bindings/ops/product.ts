/** Every layer that is a matrix product: the choice of its kernel, its packed weights and its parameter block. */
import { blocking, packPanels, vectorScratch } from "../kernels/gemm.ts";
import type { ParamBlocks } from "../kernels/params.ts";
import type { Output } from "../kernels/requantize.ts";
import type { Constrained } from "./constraints.ts";
import type { Lowering } from "./types.ts";
import { placeRecords } from "./weights.ts";

/** y[m,n] = requantize(A[m,k] · data[n,k]ᵀ), rows `xStride` and `yStride` bytes apart. */
export interface Product {
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
  /** Multipliers where they are not those of a convolution. */
  readonly reals?: readonly number[];
  /** Present where the rows of A are patches of images, `[kH,kW,inC]`; absent where A stands in memory. */
  readonly patches?: Omit<ParamBlocks["Conv2d"], keyof ParamBlocks["Gemm"]>;
}

/** Rows from which the tile that shares weights between rows beats one row at a time. */
const GEMM_ROWS = 3;

export function lowerProduct(node: Constrained, to: Lowering, product: Product): void {
  const { x, y, m, n, k, xStride, yStride, data, output, patches } = product;
  const weights = { data, channels: n, depth: k, channelStride: k, depthStride: 1 };
  const { q, forms } = placeRecords(node, to, weights, output, product.first, product.reals);
  const w = to.place(packPanels(to.module, data, n, k));
  const note = `${m}x${n}x${k}, requantize ${forms}`;
  const { mBlock, chunk, scratchBytes } = blocking(to.module, m, k, data, patches !== undefined);
  const vector = m < GEMM_ROWS && patches === undefined;
  const gemm = {
    ...{ x, y, w, q, ...to.scratch(vector ? vectorScratch(to.module, k) : scratchBytes) },
    ...{ m, n, k, xStride, yStride, mBlock, chunk, yZeroPoint: output.zeroPoint, lo: output.lo, hi: output.hi },
  };
  if (patches !== undefined)
    to.call({ kernel: "conv2d", params: { ...gemm, ...patches }, note: `im2col gemm ${note}` });
  else if (vector) to.call({ kernel: "gemv", params: gemm, note: `gemv ${note}` });
  else to.call({ kernel: "gemm", params: gemm, note: `gemm ${note}` });
}
