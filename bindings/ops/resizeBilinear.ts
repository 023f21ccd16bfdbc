import { bilinearAxis } from "../kernels/resize.ts";
import { resizeOperator } from "./resizing.ts";

/** Between four pixels. C1–C6: see `resizeOperator`. */
export const resizeBilinear = resizeOperator<"resizeBilinear">("resizeBilinear", bilinearAxis);
