import { reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly reduceAll: Attributes["mean"];
  }
}

/** Whether all are true, over axes. C1–C6: see `reduceOperator`. */
export const reduceAll = reduceOperator("reduceAll");
