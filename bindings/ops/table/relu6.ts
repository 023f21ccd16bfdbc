import { rectifier } from "../elementwise/rescaling.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** `factor`: that of int16, where it is not the scales' own in double. */
    readonly relu6: { readonly factor?: number };
  }
}

/** min(max(x, 0), 6), rescaled where there are scales. C1–C4: see `unary`. Source: TFLite's ReluX, which is TFLM's clamp where the quantization stays the same. */
export const relu6: Operator<"relu6"> = rectifier("relu6");
