import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { inputOf, outputOf, requireRatio } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { affineOf } from "./elementwise.ts";
import { callQuantizedPairs } from "./quantizedPairs.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly squaredDifference: Record<never, never>;
  }
}

/** Both operands are shifted left by this before they are scaled: squares of int16 leave no room. */
const leftShift = (node: NodeView<"squaredDifference">) => (inputOf(node, 0).dtype === "int16" ? 0 : 7);

function factors(node: NodeView<"squaredDifference">) {
  const a = affineOf(inputOf(node, 0)).scale;
  const b = affineOf(inputOf(node, 1)).scale;
  const twice = 2 * Math.max(a, b);
  const room = 2 ** (2 * leftShift(node));
  return { a: a / twice, b: b / twice, y: (twice * twice) / (room * affineOf(outputOf(node)).scale) };
}

/**
 * (a − b)² with broadcasting. C1–C5: see `arithmetic`. C6: a ratio of scales that fits. Source: TFLM's
 * squared_difference.
 */
export const squaredDifference: Operator<"squaredDifference"> = arithmetic({
  real: "squaredDifference",
  whole: "squaredDifference",
  raw: ["int32", "int64"],
  scaled: {
    types: ["int8", "int16"],
    check: (node) => requireRatio(node, "C6", factors(node).y),
    lower(node, to) {
      const { a, b, y } = factors(node);
      callQuantizedPairs(node, to, "squaredDifference", {
        left: leftShift(node),
        a: quantizeMultiplier(a),
        b: quantizeMultiplier(b),
        y: quantizeMultiplier(y),
      });
    },
  },
});
