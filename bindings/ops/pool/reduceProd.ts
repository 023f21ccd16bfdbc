import { reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly reduceProd: Attributes["mean"];
  }
}

/** Product over axes. C1–C6: see `reduceOperator`. */
export const reduceProd = reduceOperator("reduceProd");
