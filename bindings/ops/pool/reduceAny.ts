import { reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly reduceAny: Attributes["mean"];
  }
}

/** Whether any is true, over axes. C1–C6: see `reduceOperator`. */
export const reduceAny = reduceOperator("reduceAny");
