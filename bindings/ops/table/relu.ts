import { rectifier } from "../elementwise/rescaling.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** `factor`: that of int16, where it is not the scales' own in double. */
    readonly relu: { readonly factor?: number };
  }
}

/** max(x, 0), rescaled where there are scales. C1–C4: see `unary`. Source: TFLite's ReluX. */
export const relu: Operator<"relu"> = rectifier("relu");
