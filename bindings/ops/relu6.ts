import { rectifier } from "./elementwise.ts";

/** min(max(x, 0), 6) on int8, rescaled. C1–C4: see `inferUnary`. Source: TFLite's ReluX, which is TFLM's clamp where the quantization stays the same. */
export const relu6 = rectifier("relu6");
