import { reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly reduceMax: Attributes["mean"];
  }
}

/** Greatest over axes. C1–C6: see `reduceOperator`. */
export const reduceMax = reduceOperator("reduceMax");
