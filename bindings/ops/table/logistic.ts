import { REAL, realTable } from "../../primitives/table/functions.ts";
import { logisticTable } from "../../primitives/table/tables.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { callLineTable, hasOutput, requireSymmetric, unary } from "../elementwise/unary.ts";
import type { Operator } from "../types.ts";
import { callSigmoid } from "./sigmoid.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly logistic: Record<never, never>;
  }
}

/**
 * 1/(1 + exp(−x)). C1–C4: see `unary`. C5: int16 with zero points 0. The usual output, of int8 scale 1/256 and zero point
 * −128, of int16 2^−15, is in fixed point as TFLite's reference_integer_ops::Logistic; others by tables of the real function.
 */
export const logistic: Operator<"logistic"> = unary({
  check: requireSymmetric,
  int8(node) {
    const x = affineOf(inputOf(node, 0));
    return hasOutput(node, 1 / 256, -128) ? logisticTable(x) : realTable(x, affineOf(outputOf(node)), REAL.logistic);
  },
  int16(node, to) {
    if (hasOutput(node, 2 ** -15, 0)) callSigmoid(node, to, "logistic");
    else callLineTable(node, to, REAL.logistic);
  },
  real: () => ({ form: "logistic" }),
});
