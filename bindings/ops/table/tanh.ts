import { REAL, realTable } from "../../primitives/table/functions.ts";
import { tanhTable } from "../../primitives/table/tables.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { callLineTable, hasOutput, requireSymmetric, unary } from "../elementwise/unary.ts";
import type { Operator } from "../types.ts";
import { callSigmoid } from "./sigmoid.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly tanh: Record<never, never>;
  }
}

/**
 * tanh(x). C1–C4: see `unary`. C5: int16 with zero points 0. The usual output, of int8 scale 1/128 and zero point
 * 0, of int16 2^−15, is in fixed point as TFLite's reference_integer_ops::Tanh; others by tables of the real function.
 */
export const tanh: Operator<"tanh"> = unary({
  check: requireSymmetric,
  int8(node) {
    const x = affineOf(inputOf(node, 0));
    return hasOutput(node, 1 / 128, 0) ? tanhTable(x) : realTable(x, affineOf(outputOf(node)), REAL.tanh);
  },
  int16(node, to) {
    if (hasOutput(node, 2 ** -15, 0)) callSigmoid(node, to, "tanh");
    else callLineTable(node, to, REAL.tanh);
  },
  real: () => ({ form: "tanh" }),
});
