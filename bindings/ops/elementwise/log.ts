import { logFunction, realTable } from "../../primitives/table/functions.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { callLineTable, requireSymmetric, unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly log: Record<never, never>;
  }
}

/** The natural logarithm; with scales the least value where x is not above 0. C1–C4: see `unary`. C5: int16 with zero points 0. Source: TFLite's Log. */
export const log: Operator<"log"> = unary({
  check: requireSymmetric,
  int8: (node) =>
    realTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node)), logFunction(affineOf(outputOf(node)), -128)),
  int16: (node, to) => callLineTable(node, to, logFunction(affineOf(outputOf(node)), -32768)),
  real: () => ({ form: "log" }),
});
