import { REAL, realTable } from "../../primitives/table/functions.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly elu: Record<never, never>;
  }
}

/** x, below 0 exp(x) − 1. C1–C4: see `unary`. Source: TFLite's Elu. */
export const elu: Operator<"elu"> = unary({
  int8: (node) => realTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node)), REAL.elu),
  real: () => ({ form: "elu" }),
});
