import { REAL, realTable } from "../../primitives/table/functions.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { callLineTable, requireSymmetric, unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly exp: Record<never, never>;
  }
}

/** exp(x). C1–C4: see `unary`. C5: int16 with zero points 0. Source: TFLite's Exp, tables of float32. */
export const exp: Operator<"exp"> = unary({
  check: requireSymmetric,
  int8: (node) => realTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node)), REAL.exp),
  int16: (node, to) => callLineTable(node, to, REAL.exp),
  real: () => ({ form: "exp" }),
});
