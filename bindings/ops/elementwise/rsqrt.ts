import { rsqrtFunction } from "../../primitives/table/functions.ts";
import { rsqrtFactor, rsqrtTable } from "../../primitives/table/rsqrt.ts";
import { inputOf, outputOf, requireRatio } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { callLineTable, requireSymmetric, unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly rsqrt: Record<never, never>;
  }
}

/**
 * 1/√x; with scales the greatest value where x is not above 0. C1–C4: see `unary`. C5: a factor that fits; int16 with zero
 * points 0. Source: TFLite's Rsqrt, int8 in fixed point.
 */
export const rsqrt: Operator<"rsqrt"> = unary({
  check(node) {
    requireSymmetric(node);
    requireRatio(node, "C5", rsqrtFactor(affineOf(inputOf(node, 0)), affineOf(outputOf(node))));
  },
  int8: (node) => rsqrtTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node))),
  int16: (node, to) => callLineTable(node, to, rsqrtFunction(affineOf(outputOf(node)))),
  real: () => ({ form: "rsqrt" }),
});
