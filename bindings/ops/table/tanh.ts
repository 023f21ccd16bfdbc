import { tanhTable } from "../../primitives/table/tables.ts";
import { constrain, inputOf, outputOf } from "../constraints.ts";
import { affineOf, inferUnary, lowerLookup } from "../elementwise/elementwise.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly tanh: Record<never, never>;
  }
}

/**
 * tanh(x) on int8. C1–C4: see `inferUnary`. C5: output scale 1/128, zero point 0. Source: TFLite's
 * reference_integer_ops::Tanh.
 */
export const tanh: Operator<"tanh"> = {
  infer(node) {
    const types = inferUnary(node);
    const { scale, zeroPoint } = affineOf(outputOf(node));
    constrain(node, "C5", scale === 1 / 128 && zeroPoint === 0, () => ({
      expected: "an output with scale 1/128 and zero point 0",
      received: `scale ${scale}, zero point ${zeroPoint}`,
    }));
    return types;
  },
  inPlace: () => [0],
  lower(node, to) {
    lowerLookup(to, tanhTable(affineOf(inputOf(node, 0))), "tanh");
  },
};
