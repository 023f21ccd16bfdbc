import { rectifier } from "../elementwise/elementwise.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly relu: Record<never, never>;
  }
}

/** max(x, 0) on int8, rescaled. C1–C4: see `inferUnary`. Source: TFLM's ReluQuantized. */
export const relu = rectifier("relu");
