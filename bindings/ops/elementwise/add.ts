import type { Activation, Rounding } from "../../graph.ts";
import { inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { lowerSum } from "./elementwise.ts";
import { lowerNearestSum } from "./nearest.ts";
import { callSumInt16, requireSum, sumFactors } from "./quantizedPairs.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly add: { readonly activation: Activation; readonly rounding?: Rounding };
  }
}

/**
 * a + b with broadcasting. C1–C5: see `arithmetic`. C6: an output scale that is not 2^19 (int16: 2^14) times smaller than
 * the larger input scale. Source: TFLM's Add.
 */
export const add: Operator<"add"> = arithmetic({
  real: "add",
  whole: "add",
  raw: ["int16", "int32", "int64"],
  scaled: {
    types: ["int8", "int16"],
    check(node) {
      if (node.attributes.rounding === undefined) requireSum(node);
    },
    lower(node, to) {
      if (node.attributes.rounding) lowerNearestSum(node, to, 1);
      else if (inputOf(node, 0).dtype === "int16") callSumInt16(node, to, "add");
      else lowerSum(node, to, sumFactors(node), 1);
    },
  },
});
