import { quantizeMultiplier, RANGE } from "../../primitives/requantize/quantization.ts";
import { elementCount } from "../../tensor.ts";
import { inputOf, outputOf, requireRatio } from "../constraints.ts";
import { int8 } from "../product/weights.ts";
import type { NodeView, Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { affineOf, lowerLookup } from "./elementwise.ts";
import { callQuantizedPairs } from "./quantizedPairs.ts";
import { slopedSteps } from "./slopes.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly prelu: Record<never, never>;
  }
}

function factors(node: NodeView<"prelu">): { readonly up: number; readonly down: number } {
  const x = affineOf(inputOf(node, 0)).scale;
  const y = affineOf(outputOf(node)).scale;
  const alpha = affineOf(inputOf(node, 1)).scale;
  return { up: Math.fround(x / y), down: Math.fround(Math.fround(x * alpha) / y) };
}

/** Channels whose tables stay in the nearer caches, and rows of them that make up for the tables' memory and their making. */
const MOST_CHANNELS = 256;
const LEAST_ROWS = 64;

/** The outputs of all bytes for each channel's slope; `undefined` where there is no such table or it does not pay. */
function tablesOf(node: NodeView<"prelu">): Uint8Array | undefined {
  const [x, alpha, y] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)];
  const channels = y.shape.at(-1) ?? 1;
  const count = elementCount(y.shape);
  if (y.dtype !== "int8" || alpha.data?.length !== channels || (alpha.shape.at(-1) ?? 1) !== channels) return undefined;
  if (elementCount(x.shape) !== count || channels > MOST_CHANNELS || count < LEAST_ROWS * channels) return undefined;
  const { up, down } = factors(node);
  const step = slopedSteps(up, down);
  const zero = affineOf(y).zeroPoint;
  const { lo, hi } = RANGE.int8;
  const [xZero, alphaZero] = [affineOf(x).zeroPoint, affineOf(alpha).zeroPoint];
  const table = new Int8Array(256 * channels);
  for (const [c, slope] of int8(alpha).entries())
    for (let q = lo; q <= hi; q++)
      table[c * 256 + (q & 255)] = Math.min(Math.max(step(q - xZero, slope - alphaZero) + zero, lo), hi);
  return new Uint8Array(table.buffer);
}

/** x, below 0 times the slope b, with broadcasting. C1–C5: see `arithmetic`. C6: ratios of scales that fit. Source:
 * TFLite's Prelu, whose factors are float32 quotients. */
export const prelu: Operator<"prelu"> = arithmetic({
  real: "prelu",
  scaled: {
    types: ["int8", "int16"],
    check(node) {
      const { up, down } = factors(node);
      requireRatio(node, "C6", up);
      requireRatio(node, "C6", down);
    },
    lower(node, to) {
      const tables = tablesOf(node);
      if (tables !== undefined) return lowerLookup(to, tables, "prelu");
      const { up, down } = factors(node);
      callQuantizedPairs(node, to, "prelu", { a: quantizeMultiplier(up), b: quantizeMultiplier(down) });
    },
  },
});
