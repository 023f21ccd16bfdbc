import type { Operator } from "../types.ts";
import { lowerBytes } from "./bytes.ts";
import { reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly reduceMax: Attributes["mean"];
  }
}

/** Greatest over axes. C1–C6: see `reduceOperator`. */
export const reduceMax: Operator<"reduceMax"> = {
  ...reduceOperator("reduceMax"),
  lower: (node, to) => lowerBytes("reduceMax", node, to),
};
