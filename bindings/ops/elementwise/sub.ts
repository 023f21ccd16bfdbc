import type { Activation } from "../../graph.ts";
import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { constrain, inputOf, outputOf } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { affineOf, inferBinary, lowerSum, type SumFactors, sameSizeInputs } from "./elementwise.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly sub: { readonly activation: Activation };
  }
}

/** The factors of a, b and y; unlike ADD's they are float32 quotients in TFLite. */
function factors(node: NodeView<"sub">): SumFactors {
  const a = affineOf(inputOf(node, 0)).scale;
  const b = affineOf(inputOf(node, 1)).scale;
  const twice = Math.fround(2 * Math.max(a, b));
  const y = Math.fround(2 ** 20 * affineOf(outputOf(node)).scale);
  return { a: Math.fround(a / twice), b: Math.fround(b / twice), y: Math.fround(twice / y) };
}

/**
 * int8 subtraction a − b with broadcasting: the kernel `add` with a negative multiplier of b. C1–C5: see
 * `inferBinary`. C6: as in ADD. Source: TFLite's reference_ops::BroadcastQuantSubSlow.
 */
export const sub: Operator<"sub"> = {
  infer(node) {
    const types = inferBinary(node);
    const { y } = factors(node);
    constrain(node, "C6", y < 1 && quantizeMultiplier(y).shift <= 0, () => ({
      expected: "an output scale of more than 2^−19 of the larger input scale",
      received: `${y * 2 ** 19} times smaller`,
    }));
    return types;
  },
  inPlace: sameSizeInputs,
  lower: (node, to) => lowerSum(node, to, factors(node), -1),
};
