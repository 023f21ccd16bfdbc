import type { Operator } from "../types.ts";
import { lowerBytes } from "./bytes.ts";
import { reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly sum: Attributes["mean"];
  }
}

/** Sum over axes. C1–C6: see `reduceOperator`. */
export const sum: Operator<"sum"> = { ...reduceOperator("sum"), lower: (node, to) => lowerBytes("sum", node, to) };
