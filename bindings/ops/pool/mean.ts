import type { Rounding } from "../../graph.ts";
import type { Operator } from "../types.ts";
import { lowerBytes } from "./bytes.ts";
import { reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly mean: { readonly keepDims: boolean; readonly rounding?: Rounding };
  }
}

/** Mean over axes. C1–C6: see `reduceOperator`. */
export const mean: Operator<"mean"> = {
  ...reduceOperator("mean"),
  lower: (node, to) => lowerBytes("mean", node, to),
};
