import type { Padding } from "../graph.ts";

/** One dimension of a sliding window: how many outputs, and padding before the first input and after the last. */
export interface Window {
  readonly out: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Places windows of `kernel` (spread by `dilation`) along `size` inputs. SAME: ceil(size / stride) outputs, the odd
 * row of padding after; VALID: no padding. Source: TFLite's ComputePaddingHeightWidth.
 */
export function placeWindow(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  padding: Padding,
  axis: "height" | "width",
): Window {
  const reach = (kernel - 1) * dilation + 1;
  if (padding === "same") {
    const out = Math.ceil(size / stride);
    const total = Math.max((out - 1) * stride + reach - size, 0);
    const before = Math.floor(total / 2);
    return { out, before, after: total - before };
  }
  const before = padding === "valid" ? 0 : axis === "height" ? padding.top : padding.left;
  const after = padding === "valid" ? 0 : axis === "height" ? padding.bottom : padding.right;
  return { out: Math.floor((size + before + after - reach) / stride) + 1, before, after };
}
