/** Builds a case on `pint8/kernels`, with the same numbers for the test and the benchmark. */
import { type Call, denseWeights, type Kernels, type KernelTensor, type Weights } from "../bindings/public/kernels.ts";
import type { Case } from "./cases.ts";

/** A case that is ready to run. */
interface Prepared {
  readonly call: Call;
  readonly x: KernelTensor<"int8">;
  readonly weights: Weights;
}

/** Quantization as trained networks have it: outputs that use their range, RELU6 clamping at the ends. */
const X = { scale: 0.02, zeroPoint: -128 };
const Y = { scale: 0.02, zeroPoint: -128 };

/** Allocates, fills and lowers a case. */
export function prepare(kernels: Kernels, subject: Case): Prepared {
  const draw = xorshift(subject.name.length * 7919 + 12345);
  const bytes = (count: number) => Int8Array.from({ length: count }, () => draw() >> 24);
  if (subject.kind === "gemm") {
    const { m, n, k, pruning } = subject;
    const x = kernels.tensor("int8", [m, k], X);
    x.data.set(bytes(m * k));
    const data = bytes(n * k).map((w) => w || 1);
    if (pruning) {
      const [height, width] = pruning.block === "8x4" ? [8, 4] : [1, 1];
      const columns = k / width;
      const drop = new Uint8Array((n / height) * columns).map(() => ((draw() >>> 0) / 2 ** 32 < pruning.zeros ? 1 : 0));
      for (let o = 0; o < n; o++)
        for (let i = 0; i < k; i++)
          if (drop[Math.floor(o / height) * columns + Math.floor(i / width)]) data[o * k + i] = 0;
    }
    const weights = weightsOf([n, k], data, n, k, draw);
    const call = (pruning ? kernels.spmm : kernels.gemm)({ x, weights, y: Y, activation: "relu6" });
    return { call, x, weights };
  }
  const { kind, input, outputs, kernel, stride } = subject;
  const [h, w, c] = input;
  const x = kernels.tensor("int8", [1, h, w, c], X);
  x.data.set(bytes(h * w * c));
  const perOutput = kernel[0] * kernel[1] * (kind === "conv2d" ? c : 1);
  const shape = kind === "conv2d" ? [outputs, ...kernel, c] : [1, ...kernel, outputs];
  const weights = weightsOf(shape, bytes(outputs * perOutput), outputs, perOutput, draw);
  return { call: kernels[kind]({ x, weights, y: Y, stride, activation: "relu6" }), x, weights };
}

function weightsOf(
  shape: readonly number[],
  data: Int8Array,
  channels: number,
  depth: number,
  draw: () => number,
): Weights {
  const scale = Array.from({ length: channels }, () =>
    Math.fround((0.5 + (draw() >>> 0) / 2 ** 32) / (90 * Math.sqrt(depth))),
  );
  const bias = Int32Array.from({ length: channels }, () => draw() >> 20);
  return denseWeights({ shape, data, scale, bias });
}

/** xorshift32; 32-bit draws. */
function xorshift(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}
