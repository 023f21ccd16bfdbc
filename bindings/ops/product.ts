/** Every layer that is a matrix product: the choice of its kernel, its packed weights and its parameter block. */
import { directLayout } from "../kernels/direct.ts";
import { blocking, packPanels, packWide, vectorScratch, wideningPays } from "../kernels/gemm.ts";
import type { ParamBlocks } from "../kernels/params.ts";
import type { Output } from "../kernels/requantize.ts";
import { isDense, packSparse, sparsePays } from "../kernels/sparse.ts";
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
/** Steps that any weights can sum in a lane of the scalar module: 32·128·128 < 2^20. */
const SPARSE_CHUNK = 32;

export function lowerProduct(node: Constrained, to: Lowering, product: Product): void {
  const { x, y, m, n, k, xStride, yStride, output, patches } = product;
  const weights = { data: product.data, channels: n, depth: k, channelStride: k, depthStride: 1 };
  const { q, forms, data } = placeRecords(node, to, weights, output, product.first, product.reals);
  const vector = m < GEMM_ROWS && patches === undefined;
  const sparse = isDense(to.module, data) ? undefined : packSparse(to.module, data, n, k);
  const pays = sparse !== undefined && sparsePays(to.module, m, k, sparse, vector);
  const direct = pays || !patches ? undefined : directLayout(to.module, data, n, xStride, forms, patches);
  if (patches && direct) {
    to.call({
      kernel: "directConv2d",
      params: {
        ...{
          x,
          y,
          w: to.place(packPanels(to.module, direct.data, n, direct.k)),
          q,
          ...to.scratch(direct.scratchBytes),
        },
        ...{ m, n, k: direct.k, xStride, yStride, mBlock: direct.mBlock, chunk: 0, index: 0 },
        ...{ yZeroPoint: output.zeroPoint, lo: output.lo, hi: output.hi, ...patches },
      },
      note: `direct conv ${m}x${n}x${k}, requantize ${forms}`,
    });
    return;
  }
  const wide = vector && !pays && to.optimize === "speed" && wideningPays(to.module, n, k);
  const pack = wide ? packWide : packPanels;
  const w = to.place(pays ? sparse.weights : pack(to.module, data, n, k));
  const { mBlock, chunk, scratchBytes } = blocking(to.module, m, k, data, patches !== undefined);
  const gemm = {
    ...{ x, y, w, q, ...to.scratch(vector && !pays ? vectorScratch(to.module, k) : scratchBytes) },
    ...{
      m,
      n,
      k,
      xStride,
      yStride,
      mBlock,
      chunk: pays ? SPARSE_CHUNK : chunk,
      index: pays ? to.place(sparse.index) : 0,
    },
    ...{ yZeroPoint: output.zeroPoint, lo: output.lo, hi: output.hi },
  };
  const size = `${m}x${n}x${k}, requantize ${forms}`;
  const kept = pays ? `${((100 * sparse.blocks) / sparse.total).toFixed(0)} % of blocks kept` : "";
  if (patches !== undefined) {
    const params = { ...gemm, ...patches };
    if (pays) to.call({ kernel: "sparseConv2d", params, note: `im2col spmm ${size}, ${kept}` });
    else to.call({ kernel: "conv2d", params, note: `im2col gemm ${size}` });
  } else if (pays) to.call({ kernel: "spmm", params: gemm, note: `spmm ${size}, ${kept}` });
  else if (wide) to.call({ kernel: "gemvWide", params: gemm, note: `gemv of widened weights ${size}` });
  else if (vector) to.call({ kernel: "gemv", params: gemm, note: `gemv ${size}` });
  else to.call({ kernel: "gemm", params: gemm, note: `gemm ${size}` });
}
