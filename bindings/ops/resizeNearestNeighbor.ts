import { nearestAxis } from "../kernels/resize.ts";
import { resizeOperator } from "./resizing.ts";

/** The nearest pixel. C1–C6: see `resizeOperator`. */
export const resizeNearestNeighbor = resizeOperator<"resizeNearestNeighbor">("resizeNearest", nearestAxis);
