import { rectifier } from "../elementwise/elementwise.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly relu6: Record<never, never>;
  }
}

/** min(max(x, 0), 6) on int8, rescaled. C1–C4: see `inferUnary`. Source: TFLite's ReluX, which is TFLM's clamp where the quantization stays the same. */
export const relu6 = rectifier("relu6");
