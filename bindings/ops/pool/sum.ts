import { reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly sum: Attributes["mean"];
  }
}

/** Sum over axes. C1–C6: see `reduceOperator`. */
export const sum = reduceOperator("sum");
