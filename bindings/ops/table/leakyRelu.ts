import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { leakyReluTable } from "../../primitives/table/tables.ts";
import { inputOf, outputOf, requireRatio } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { callRescale } from "../elementwise/rescaling.ts";
import { unary } from "../elementwise/unary.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly leakyRelu: {
      readonly alpha: number;
      /** From 0 up and below, where they are not the scales' own in double. */
      readonly factors?: readonly [number, number];
    };
  }
}

function downFactor(node: NodeView<"leakyRelu">): number {
  return (affineOf(inputOf(node, 0)).scale * Math.fround(node.attributes.alpha)) / affineOf(outputOf(node)).scale;
}

/** x or alpha·x, for x below 0. C1–C4: see `unary`. C5: alpha times the ratio fits. Source: TFLM's LeakyRelu. */
export const leakyRelu: Operator<"leakyRelu"> = unary({
  check: (node) => requireRatio(node, "C5", downFactor(node)),
  int8: (node) => leakyReluTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node)), node.attributes.alpha),
  int16(node, to) {
    const ratio = affineOf(inputOf(node, 0)).scale / affineOf(outputOf(node)).scale;
    const [up, down] = node.attributes.factors ?? [ratio, downFactor(node)];
    callRescale(node, to, { up: quantizeMultiplier(up), down: quantizeMultiplier(down) });
  },
  real: (node) => ({ form: "leaky", lo: node.attributes.alpha }),
});
