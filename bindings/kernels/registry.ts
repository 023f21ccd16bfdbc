import type { ParamBlocks } from "./params.ts";

/**
 * Every kernel and its parameter block. The position is the kernel's number in a step list: `assembly/run.ts` has the
 * same order (a test holds the two together), so new kernels are appended.
 */
export const KERNELS = [
  ["gemm", "Gemm"],
  ["gemv", "Gemm"],
  ["conv2d", "Conv2d"],
  ["dwconv", "DwConv"],
  ["lookup", "Lookup"],
  ["add", "Add"],
  ["mul", "Add"],
  ["averagePool", "Pool"],
  ["maxPool", "Pool"],
  ["mean", "Mean"],
  ["softmax", "Softmax"],
  ["copy", "Copy"],
  ["permute", "Permute"],
  ["pad", "Pad"],
  ["quantize", "Quantize"],
  ["dequantize", "Quantize"],
  ["requantize", "Requantize"],
  ["spmm", "Gemm"],
  ["sparseConv2d", "Conv2d"],
  ["directConv2d", "Conv2d"],
  ["gemvWide", "Gemm"],
  ["spmmColumns", "Gemm"],
  ["dwconv3x3", "DwConv"],
  ["resizeNearest", "Resize"],
  ["resizeBilinear", "Resize"],
] as const;

export type KernelName = (typeof KERNELS)[number][0];
type BlockOf<K extends KernelName> = Extract<(typeof KERNELS)[number], readonly [K, string]>[1];

/** One kernel with the values of its parameter block. */
export type KernelCall = {
  readonly [K in KernelName]: {
    readonly kernel: K;
    readonly params: ParamBlocks[BlockOf<K>];
    /** What `inspect` and `bench --profile` say of the choice, for example `gemm 4x8c2`. */
    readonly note?: string;
  };
}[KernelName];

/** The kernel's number in a step list. */
export function kernelNumber(name: KernelName): number {
  return KERNELS.findIndex(([kernel]) => kernel === name);
}
