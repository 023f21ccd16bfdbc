import { rectifier } from "../elementwise/elementwise.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly reluN1To1: Record<never, never>;
  }
}

/** min(max(x, −1), 1) on int8, rescaled. C1–C4: see `inferUnary`. Source: TFLite's ReluX. */
export const reluN1To1 = rectifier("reluN1To1");
