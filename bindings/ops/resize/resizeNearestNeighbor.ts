import { nearestAxis } from "../../primitives/resize/resize.ts";
import { resizeOperator } from "./resizing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly resizeNearestNeighbor: { readonly alignCorners: boolean; readonly halfPixelCenters: boolean };
  }
}

/** The nearest pixel. C1–C4: see `resizeOperator`. */
export const resizeNearestNeighbor = resizeOperator("resizeNearestNeighbor", () => ({
  kernel: "resizeNearest",
  axis: nearestAxis,
}));
