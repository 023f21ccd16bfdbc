import { bilinearAxis, realAxis } from "../../primitives/resize/resize.ts";
import { resizeOperator } from "./resizing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly resizeBilinear: { readonly alignCorners: boolean; readonly halfPixelCenters: boolean };
  }
}

const WAYS = {
  int8: { kernel: "resizeBilinear", axis: bilinearAxis },
  int16: { kernel: "resizeBilinearS16", axis: bilinearAxis },
  float32: { kernel: "resizeBilinearF32", axis: realAxis, real: true },
} as const;
/** What was uint8 is computed in float32 by the reference. */
const UNSIGNED = { kernel: "resizeBilinearU8", axis: realAxis, real: true } as const;

/** Between four pixels. C1–C6: see `resizeOperator`. */
export const resizeBilinear = resizeOperator("resizeBilinear", ({ dtype, unsigned }) =>
  unsigned === true ? UNSIGNED : WAYS[dtype as keyof typeof WAYS],
);
