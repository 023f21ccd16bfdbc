import { logisticTable } from "../../primitives/table/tables.ts";
import { inputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { requireOutput, unary } from "../elementwise/unary.ts";
import type { Operator } from "../types.ts";
import { callSigmoid } from "./sigmoid.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly logistic: Record<never, never>;
  }
}

/**
 * 1/(1 + exp(−x)). C1–C4: see `unary`. C5: output scale 1/256, zero point −128; of int16 2^−15 and 0, and an input with zero point 0.
 * Source: TFLite's reference_integer_ops::Logistic.
 */
export const logistic: Operator<"logistic"> = unary({
  check: (node) => requireOutput(node, 1 / 256, -128),
  int8: (node) => logisticTable(affineOf(inputOf(node, 0))),
  int16: (node, to) => callSigmoid(node, to, "logistic"),
  real: () => ({ form: "logistic" }),
});
