import { rectifier } from "../elementwise/rescaling.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly reluN1To1: Record<never, never>;
  }
}

/** min(max(x, −1), 1), rescaled where there are scales. C1–C4: see `unary`. Source: TFLite's ReluX. */
export const reluN1To1: Operator<"reluN1To1"> = rectifier("reluN1To1");
