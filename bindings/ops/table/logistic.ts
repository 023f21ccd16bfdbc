import { logisticTable } from "../../primitives/table/tables.ts";
import { constrain, inputOf, outputOf } from "../constraints.ts";
import { affineOf, inferUnary, lowerLookup } from "../elementwise/elementwise.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly logistic: Record<never, never>;
  }
}

/**
 * 1/(1 + exp(−x)) on int8. C1–C4: see `inferUnary`. C5: output scale 1/256, zero point −128. Source: TFLite's
 * reference_integer_ops::Logistic.
 */
export const logistic: Operator<"logistic"> = {
  infer(node) {
    const types = inferUnary(node);
    const { scale, zeroPoint } = affineOf(outputOf(node));
    constrain(node, "C5", scale === 1 / 256 && zeroPoint === -128, () => ({
      expected: "an output with scale 1/256 and zero point −128",
      received: `scale ${scale}, zero point ${zeroPoint}`,
    }));
    return types;
  },
  inPlace: () => [0],
  lower(node, to) {
    lowerLookup(to, logisticTable(affineOf(inputOf(node, 0))), "logistic");
  },
};
