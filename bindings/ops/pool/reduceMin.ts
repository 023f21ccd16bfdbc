import { reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly reduceMin: Attributes["mean"];
  }
}

/** Least over axes. C1–C6: see `reduceOperator`. */
export const reduceMin = reduceOperator("reduceMin");
