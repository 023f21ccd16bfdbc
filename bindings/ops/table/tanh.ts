import { tanhTable } from "../../primitives/table/tables.ts";
import { inputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { requireOutput, unary } from "../elementwise/unary.ts";
import type { Operator } from "../types.ts";
import { callSigmoid } from "./sigmoid.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly tanh: Record<never, never>;
  }
}

/**
 * tanh(x). C1–C4: see `unary`. C5: output scale 1/128, zero point 0; of int16 2^−15 and 0, and an input with zero point 0.
 * Source: TFLite's reference_integer_ops::Tanh.
 */
export const tanh: Operator<"tanh"> = unary({
  check: (node) => requireOutput(node, 1 / 128, 0),
  int8: (node) => tanhTable(affineOf(inputOf(node, 0))),
  int16: (node, to) => callSigmoid(node, to, "tanh"),
  real: () => ({ form: "tanh" }),
});
