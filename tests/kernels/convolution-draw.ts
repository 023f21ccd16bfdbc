import type { Activation } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { activationRange, quantizeMultiplier } from "../../bindings/primitives/requantize/quantization.ts";
import { placeWindow } from "../../bindings/primitives/window.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { convolution } from "../reference/convolution.ts";
import { bytesOf, checkOperator, type Random, type Subject, tensor } from "../support/kernels.ts";

export const ACTIVATIONS: readonly Activation[] = ["none", "none", "relu", "relu", "relu6", "reluN1To1"];
const EXTREME_BIASES = [-(2 ** 31), 2 ** 31 - 1, -(2 ** 30), 2 ** 30, 0];

/** What the tests draw: sizes, and how hard the numbers are. */
interface Draw {
  readonly xShape: readonly [number, number, number, number];
  readonly outputs: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: "same" | "valid" | { top: number; bottom: number; left: number; right: number };
  readonly groups: number;
  readonly depthwise: boolean;
  /** Scales as trained networks have them, or any shift at all. */
  readonly scales: "usual" | "any";
  /** Weights pruned one by one; any kind where absent. */
  readonly pruned?: boolean;
}

/** Weights [rows][depth]: random ones, extremes, zeros, and pruned in blocks of 8 rows × 4 or one by one. */
export function weights(draw: Random, count: number, depth: number, kind = draw.int(0, 9)): Int8Array {
  if (kind === 0) return new Int8Array(count).fill(127);
  if (kind === 1) return new Int8Array(count).fill(-127);
  if (kind === 2) return new Int8Array(count);
  const dense = draw.int8(count).map((w) => Math.max(w, -127));
  if (kind < 6) {
    const kept = Array.from(
      { length: Math.ceil(count / depth / 8) * Math.ceil(depth / 4) },
      () => draw.int(0, kind) === 0,
    );
    return dense.map((w, i) => {
      const block = Math.floor(i / depth / 8) * Math.ceil(depth / 4) + Math.floor((i % depth) / 4);
      return kept[block] ? w : 0;
    });
  }
  return kind === 6 ? dense.map((w) => (draw.int(0, 4) === 0 ? w : 0)) : dense;
}

export function check(subject: Subject, draw: Random, d: Draw): void {
  const [n, inH, inW, inC] = d.xShape;
  const [kH, kW] = d.kernel;
  const h = placeWindow(inH, kH, d.stride[0], d.dilation[0], d.padding, "height");
  const w = placeWindow(inW, kW, d.stride[1], d.dilation[1], d.padding, "width");
  if (h.out < 1 || w.out < 1) return;
  const perGroup = d.depthwise ? 1 : inC / d.groups;
  const depth = kH * kW * perGroup;
  const x =
    draw.int(0, 6) === 0
      ? new Int8Array(n * inH * inW * inC).fill(draw.pick([-128, 127]))
      : draw.int8(n * inH * inW * inC);
  const wData = weights(draw, d.outputs * depth, depth, d.pruned ? 6 : undefined);
  const sx = Math.fround(0.02);
  const xq = { scale: sx, zeroPoint: draw.pick([0, -128, 127, draw.int(-128, 127)]) };
  const spread = Math.sqrt(depth) * 5000;
  const yq = { scale: 1, zeroPoint: draw.pick([0, -128, 127, draw.int(-128, 127)]) };
  const sw = Array.from({ length: d.outputs }, () => {
    if (d.scales === "any") return Math.fround(2 ** (draw.int(-3700, 100) / 100) / sx);
    return draw.int(0, 30) === 0 ? 1e-12 : Math.fround(draw.int(40, 300) / spread / sx);
  });
  const bias = Int32Array.from({ length: d.outputs }, () =>
    d.scales === "any" && draw.int(0, 2) === 0 ? draw.pick(EXTREME_BIASES) : draw.int(-20000, 20000),
  );
  const activation = draw.pick(ACTIVATIONS);
  const range = activationRange(activation, "int8", yq);
  const yShape = [n, h.out, w.out, d.outputs] as const;
  const multipliers = sw.map((scale) => quantizeMultiplier((sx * scale) / yq.scale));
  const expected = convolution({
    x,
    xShape: d.xShape,
    w: wData,
    bias,
    kernel: d.kernel,
    stride: d.stride,
    dilation: d.dilation,
    before: [h.before, w.before],
    yShape,
    xZeroPoint: xq.zeroPoint,
    yZeroPoint: yq.zeroPoint,
    multipliers,
    ...range,
    depthwise: d.depthwise,
  });
  const wTensor: Tensor = {
    name: "w",
    dtype: "int8",
    data: bytesOf(wData),
    shape: d.depthwise ? [1, kH, kW, d.outputs] : [d.outputs, kH, kW, perGroup],
    quantization: { scale: sw, zeroPoint: sw.map(() => 0), axis: d.depthwise ? 3 : 0 },
  };
  const attributes = { stride: d.stride, dilation: d.dilation, padding: d.padding, activation };
  checkOperator(
    subject,
    (d.depthwise ? operators.depthwiseConv2d : operators.conv2d) as unknown as Operator<"conv2d">,
    {
      attributes,
      inputs: [tensor("int8", d.xShape, xq), wTensor, tensor("int32", [d.outputs], undefined, bias)],
      values: [x, wData, bias],
      output: tensor("int8", yShape, yq),
    },
    expected,
  );
}

export function side(draw: Random): number {
  return draw.pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 13]);
}

export function padding(draw: Random): Draw["padding"] {
  // Wider than the picture, and than all columns that are laid out.
  const wide = () => draw.pick([0, 1, draw.int(0, 40)]);
  if (draw.int(0, 5) === 0) return { top: wide(), bottom: wide(), left: wide(), right: wide() };
  return draw.pick([
    "same",
    "valid",
    { top: draw.int(0, 2), bottom: draw.int(0, 2), left: draw.int(0, 2), right: draw.int(0, 2) },
  ]);
}
