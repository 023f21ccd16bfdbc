import { segmentOperator } from "./segments.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly unsortedSegmentMin: Record<never, never>;
  }
}

/** The least of rows with equal ids. C1–C4: see `segmentOperator`. */
export const unsortedSegmentMin = segmentOperator("unsortedSegmentMin");
