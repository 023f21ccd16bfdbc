import { sqrtTable } from "../../primitives/table/functions.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly sqrt: Record<never, never>;
  }
}

/** √x; below 0 NaN, with scales the least value. C1–C4: see `unary`. Source: TFLite's Sqrt. */
export const sqrt: Operator<"sqrt"> = unary({
  int8: (node) => sqrtTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node))),
  real: () => ({ form: "sqrt" }),
});
