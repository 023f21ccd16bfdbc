import { bilinearAxis } from "../../primitives/resize/resize.ts";
import { resizeOperator } from "./resizing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly resizeBilinear: { readonly alignCorners: boolean; readonly halfPixelCenters: boolean };
  }
}

/** Between four pixels. C1–C6: see `resizeOperator`. */
export const resizeBilinear = resizeOperator<"resizeBilinear">("resizeBilinear", bilinearAxis);
