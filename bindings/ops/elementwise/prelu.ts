import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { inputOf, outputOf, requireRatio } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { affineOf } from "./elementwise.ts";
import { callQuantizedPairs } from "./quantizedPairs.ts";

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
      const { up, down } = factors(node);
      callQuantizedPairs(node, to, "prelu", { a: quantizeMultiplier(up), b: quantizeMultiplier(down) });
    },
  },
});
