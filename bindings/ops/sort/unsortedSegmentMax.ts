import { segmentOperator } from "./segments.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly unsortedSegmentMax: Record<never, never>;
  }
}

/** The greatest of rows with equal ids. C1–C4: see `segmentOperator`. */
export const unsortedSegmentMax = segmentOperator("unsortedSegmentMax");
