import { quantizeMultiplier } from "../kernels/quantization.ts";
import { inputOf, outputOf, requireRatio } from "./constraints.ts";
import { affineOf, binaryParams, inferBinary, sameSizeInputs } from "./elementwise.ts";
import type { NodeView, Operator } from "./types.ts";

function factor(node: NodeView<"mul">): number {
  return (affineOf(inputOf(node, 0)).scale * affineOf(inputOf(node, 1)).scale) / affineOf(outputOf(node)).scale;
}

/**
 * int8 multiplication with broadcasting. C1–C5: see `inferBinary`. C6: a ratio of scales that fits. Source: TFLite's
 * reference_integer_ops::Mul.
 */
export const mul: Operator<"mul"> = {
  infer(node) {
    const types = inferBinary(node);
    requireRatio(node, "C6", factor(node));
    return types;
  },
  inPlace: sameSizeInputs,
  lower(node, to) {
    const y = quantizeMultiplier(factor(node));
    to.call({
      kernel: "mul",
      params: {
        ...binaryParams(node, to),
        ...{ aMultiplier: 0, aShift: 0, bMultiplier: 0, bShift: 0, yMultiplier: y.multiplier, yShift: y.shift },
        ...{ form: 0, aScale: 0, bScale: 0, offset: 0 },
      },
    });
  },
};
