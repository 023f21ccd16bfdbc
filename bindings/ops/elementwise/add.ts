import type { Activation } from "../../graph.ts";
import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { constrain, inputOf, outputOf } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { affineOf, inferBinary, lowerSum, type SumFactors, sameSizeInputs } from "./elementwise.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly add: { readonly activation: Activation };
  }
}

/** Both operands are shifted left by this before they are scaled. */
const LEFT_SHIFT = 20;

/** The factors of a, b and y, in doubles as TFLite computes them. */
function factors(node: NodeView<"add">): SumFactors {
  const a = affineOf(inputOf(node, 0)).scale;
  const b = affineOf(inputOf(node, 1)).scale;
  const twice = 2 * Math.max(a, b);
  return { a: a / twice, b: b / twice, y: twice / (2 ** LEFT_SHIFT * affineOf(outputOf(node)).scale) };
}

/**
 * int8 addition with broadcasting. C1–C5: see `inferBinary`. C6: an output scale that is not 2^19 times smaller than
 * the larger input scale. Source: TFLite's reference_integer_ops::Add.
 */
export const add: Operator<"add"> = {
  infer(node) {
    const types = inferBinary(node);
    const { y } = factors(node);
    constrain(node, "C6", y < 1 && quantizeMultiplier(y).shift <= 0, () => ({
      expected: "an output scale of more than 2^−19 of the larger input scale",
      received: `${y * 2 ** (LEFT_SHIFT - 1)} times smaller`,
    }));
    return types;
  },
  inPlace: sameSizeInputs,
  lower: (node, to) => lowerSum(node, to, factors(node), 1),
};
