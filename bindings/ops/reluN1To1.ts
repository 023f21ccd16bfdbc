import { rectifier } from "./elementwise.ts";

/** min(max(x, −1), 1) on int8, rescaled. C1–C4: see `inferUnary`. Source: TFLite's ReluX. */
export const reluN1To1 = rectifier("reluN1To1");
