import type { Activation } from "../../graph.ts";
import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { inputOf, outputOf, requireRatio } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { affineOf } from "./elementwise.ts";
import { callQuantizedPairs } from "./quantizedPairs.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly div: { readonly activation: Activation };
  }
}

function factor(node: NodeView<"div">): number {
  return affineOf(inputOf(node, 0)).scale / (affineOf(inputOf(node, 1)).scale * affineOf(outputOf(node)).scale);
}

/**
 * a / b with broadcasting; integers towards zero, by 0 to 0. C1–C5: see `arithmetic`. C6: a ratio of scales of at most
 * 2^22. Source: TFLite's reference_ops::Div.
 */
export const div: Operator<"div"> = arithmetic({
  real: "div",
  whole: "div",
  raw: ["int16", "int32", "int64"],
  scaled: {
    types: ["int8", "int16"],
    check: (node) => requireRatio(node, "C6", factor(node) * 2 ** 8),
    lower: (node, to) =>
      callQuantizedPairs(node, to, "div", { y: quantizeMultiplier(factor(node)) }, node.attributes.activation),
  },
});
