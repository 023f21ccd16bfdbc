import { REAL, realTable } from "../../primitives/table/functions.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { callLineTable, requireSymmetric, unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly gelu: { readonly approximate: boolean };
  }
}

/** x times the normal distribution up to x, or its approximation by tanh. C1–C4: see `unary`. C5: int16 with zero points 0. Source: TFLite's GeluTransform. */
export const gelu: Operator<"gelu"> = unary({
  check: requireSymmetric,
  int8: (node) => realTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node)), REAL[formOf(node.attributes)]),
  int16: (node, to) => callLineTable(node, to, REAL[formOf(node.attributes)]),
  real: (node) => ({ form: formOf(node.attributes) }),
});

function formOf({ approximate }: { readonly approximate: boolean }): "gelu" | "geluTanh" {
  return approximate ? "geluTanh" : "gelu";
}
