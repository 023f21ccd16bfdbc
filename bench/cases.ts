/** The kernel cases: layers of real models and the shapes that marks are stated for. They drive a test and a benchmark. */

/** Weights that are zero: in blocks of 8 outputs × 4 inputs, or anywhere. */
interface Pruning {
  readonly block: "8x4" | "1x1";
  /** Share of zeros. */
  readonly zeros: number;
}

export type Case = {
  readonly name: string;
  /** Where the shape comes from. */
  readonly from: string;
} & (
  | { readonly kind: "gemm"; readonly m: number; readonly n: number; readonly k: number; readonly pruning?: Pruning }
  | {
      readonly kind: "conv2d" | "depthwiseConv2d";
      /** `[H,W,C]` */
      readonly input: readonly [number, number, number];
      readonly outputs: number;
      readonly kernel: readonly [number, number];
      readonly stride: readonly [number, number];
    }
);

const gemm = (from: string, m: number, n: number, k: number, pruning?: Pruning): Case => {
  const zeros = pruning ? `, ${pruning.zeros * 100} % zeros ${pruning.block === "8x4" ? "in 8x4" : "anywhere"}` : "";
  return { kind: "gemm", name: `gemm ${m}x${n}x${k}${zeros}`, from, m, n, k, ...(pruning && { pruning }) };
};

const conv = (
  kind: "conv2d" | "depthwiseConv2d",
  from: string,
  input: readonly [number, number, number],
  outputs: number,
  kernel: readonly [number, number],
  stride: readonly [number, number],
): Case => {
  const short = kind === "conv2d" ? "conv" : "dwconv";
  const name = `${short} ${kernel.join("x")} s${stride.join("x")} ${input.join("x")} to ${outputs}`;
  return { kind, name, from, input, outputs, kernel, stride };
};

export const CASES: readonly Case[] = [
  gemm("pointwise, K = 32", 3136, 64, 32),
  gemm("kws_ref_model pointwise", 125, 64, 64),
  gemm("pointwise, K = 128", 784, 128, 128),
  gemm("pointwise, K = 256", 196, 256, 256),
  gemm("pointwise, K = 512", 196, 512, 512),
  gemm("tf2_mobilenet_v2 expansion", 784, 192, 32),
  gemm("tf2_mobilenet_v2 projection", 196, 64, 384),
  gemm("tf2_mobilenet_v2 last pointwise", 49, 1280, 320),
  gemm("ad01_int8 layer", 1, 128, 640),
  gemm("tf2_mobilenet_v2 classifier", 1, 1000, 1280),
  conv("conv2d", "tf2_mobilenet_v2 stem", [224, 224, 3], 32, [3, 3], [2, 2]),
  conv("conv2d", "kws_ref_model stem", [49, 10, 1], 64, [10, 4], [2, 2]),
  conv("conv2d", "pretrainedResnet_quant", [32, 32, 16], 16, [3, 3], [1, 1]),
  conv("conv2d", "pretrainedResnet_quant", [8, 8, 64], 64, [3, 3], [1, 1]),
  conv("depthwiseConv2d", "tf2_mobilenet_v2", [112, 112, 32], 32, [3, 3], [1, 1]),
  conv("depthwiseConv2d", "tf2_mobilenet_v2", [112, 112, 96], 96, [3, 3], [2, 2]),
  conv("depthwiseConv2d", "tf2_mobilenet_v2", [14, 14, 384], 384, [3, 3], [1, 1]),
  conv("depthwiseConv2d", "5x5 of efficient networks", [14, 14, 96], 96, [5, 5], [1, 1]),
  conv("depthwiseConv2d", "person_detect, multiplier 8", [96, 96, 1], 8, [3, 3], [2, 2]),
  gemm("pruned in blocks", 196, 512, 512, { block: "8x4", zeros: 0.5 }),
  gemm("pruned in blocks", 196, 512, 512, { block: "8x4", zeros: 0.8 }),
  gemm("pruned unstructured", 196, 512, 512, { block: "1x1", zeros: 0.8 }),
];

/** The dense case that a pruned one is measured against. */
export function denseTwin(pruned: Case): Case {
  if (pruned.kind !== "gemm") return pruned;
  return gemm(pruned.from, pruned.m, pruned.n, pruned.k);
}
