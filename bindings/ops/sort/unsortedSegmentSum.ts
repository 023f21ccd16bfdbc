import { segmentOperator } from "./segments.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly unsortedSegmentSum: Record<never, never>;
  }
}

/** Sums of rows with equal ids. C1–C4: see `segmentOperator`. */
export const unsortedSegmentSum = segmentOperator("unsortedSegmentSum");
