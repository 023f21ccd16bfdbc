/** Kernels, strides, dilations and paddings of ONNX's sliding windows. */
import { listText } from "../../tensor.ts";
import type { OnnxNode } from "./convert.ts";

/** Per spatial dimension. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Padding after without what `ceil_mode` adds: what means count where they count padding. */
  readonly counted: readonly number[];
}

/** The windows of a convolution on an input of these spatial sizes. */
export function windowsOf(n: OnnxNode, sizes: readonly number[], kernel: readonly number[]): Windows {
  return placed(n, sizes, kernel, (size, dilation) => (size - 1) * dilation + 1);
}

/** Those of a pool: onnxruntime pads to the same size as if windows had no dilation. */
export function poolWindowsOf(n: OnnxNode, sizes: readonly number[], kernel: readonly number[]): Windows {
  return placed(n, sizes, kernel, (size) => size, true);
}

/** The largest of the sizes of a window. */
const MOST = 2 ** 31 - 1;

/** Refuses sizes below 1, and paddings below 0. */
export function requireSizes(
  n: OnnxNode,
  sizes: Readonly<Pick<Windows, "kernel" | "stride" | "dilation">> & { readonly pads?: readonly number[] },
): void {
  for (const [name, list] of Object.entries(sizes)) {
    const least = name === "pads" ? 0 : 1;
    if (list.some((size) => size < least || size > MOST)) n.refuse(`${name} from ${least} to ${MOST}`, listText(list));
  }
}

/** `ceil_mode` counts as padding after; `spans`: what padding to the same size takes a window to reach. */
function placed(
  n: OnnxNode,
  sizes: readonly number[],
  kernel: readonly number[],
  spans: (size: number, dilation: number) => number,
  isPool = false,
): Windows {
  const rank = sizes.length;
  const ones = sizes.map(() => 1);
  const stride = n.ints("strides") ?? ones;
  const dilation = n.ints("dilations") ?? ones;
  const pads = n.ints("pads") ?? sizes.flatMap(() => [0, 0]);
  const fits = kernel.length === rank && stride.length === rank && dilation.length === rank && pads.length === 2 * rank;
  if (!fits) n.refuse(`attributes for ${rank} spatial dimensions`, "others");
  requireSizes(n, { kernel, stride, dilation, pads });
  const auto = n.string("auto_pad", "NOTSET");
  const all = sizes.map((size, i) => {
    const reach = ((kernel[i] as number) - 1) * (dilation[i] as number) + 1;
    const step = stride[i] as number;
    const isSame = auto === "SAME_UPPER" || auto === "SAME_LOWER";
    const span = spans(kernel[i] as number, dilation[i] as number);
    const total = isSame ? Math.max(0, (Math.ceil(size / step) - 1) * step + span - size) : 0;
    const less = Math.floor(total / 2);
    const same = auto === "SAME_UPPER" ? [less, total - less] : [total - less, less];
    const stated = auto === "VALID" ? [0, 0] : [pads[i], pads[i + rank]];
    const [before, after] = (isSame ? same : stated) as [number, number];
    // onnxruntime divides towards zero: a pool's window that is too long by less than a step stands there once
    const more = reach - size - before - after;
    if (n.int("ceil_mode", 0) === 0) return [before, isPool && more > 0 && more < step ? after + more : after, after];
    const out = Math.ceil((size + before + after - reach) / step) + 1;
    // a last window that would begin in the padding after is left out
    const last = (out - 1) * step >= size + before ? out - 1 : out;
    return [before, Math.max(0, (last - 1) * step + reach - size - before), after];
  });
  return {
    kernel,
    stride,
    dilation,
    before: all.map(([before]) => before as number),
    after: all.map(([, after]) => after as number),
    counted: all.map(([, , counted]) => counted as number),
  };
}

/** Spatial output sizes. */
export function outputSizes(sizes: readonly number[], { kernel, stride, dilation, before, after }: Windows): number[] {
  return sizes.map((size, i) => {
    const reach = ((kernel[i] as number) - 1) * (dilation[i] as number) + 1;
    return Math.floor((size + (before[i] as number) + (after[i] as number) - reach) / (stride[i] as number)) + 1;
  });
}

/** Padding of two spatial dimensions as the graph states it; of one, as the width of an image of height 1. */
export function imagePadding({ before, after }: Windows) {
  const sides = (list: readonly number[]) => (list.length === 1 ? [0, ...list] : list) as readonly [number, number];
  const [[top, left], [bottom, right]] = [sides(before), sides(after)];
  return { top, bottom, left, right };
}

/** Two numbers of a window, where there is one: of an image of height 1. */
export function pair(values: readonly number[]): readonly [number, number] {
  return values.length === 1 ? [1, values[0] as number] : [values[0] as number, values[1] as number];
}
