import type { Activation, Rounding } from "../../graph.ts";
import { inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { lowerSum } from "./elementwise.ts";
import { lowerNearestSum } from "./nearest.ts";
import { callSumInt16, requireSum, sumFactors } from "./quantizedPairs.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly sub: { readonly activation: Activation; readonly rounding?: Rounding };
  }
}

/**
 * a − b with broadcasting; of int8 the kernel `add` with a negative multiplier of b. C1–C6: as in ADD. Source: TFLM's Sub,
 * whose factors are doubles.
 */
export const sub: Operator<"sub"> = arithmetic({
  real: "sub",
  whole: "sub",
  raw: ["int16", "int32", "int64"],
  scaled: {
    types: ["int8", "int16"],
    check(node) {
      if (node.attributes.rounding === undefined) requireSum(node);
    },
    lower(node, to) {
      if (node.attributes.rounding) lowerNearestSum(node, to, -1);
      else if (inputOf(node, 0).dtype === "int16") callSumInt16(node, to, "sub");
      else lowerSum(node, to, sumFactors(node), -1);
    },
  },
});
