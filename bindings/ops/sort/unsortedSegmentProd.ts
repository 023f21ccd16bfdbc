import { segmentOperator } from "./segments.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly unsortedSegmentProd: Record<never, never>;
  }
}

/** Products of rows with equal ids. C1–C4: see `segmentOperator`. */
export const unsortedSegmentProd = segmentOperator("unsortedSegmentProd");
