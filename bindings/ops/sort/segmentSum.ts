import { segmentOperator } from "./segments.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly segmentSum: Record<never, never>;
  }
}

/** Sums of rows with equal, rising ids. C1–C4: see `segmentOperator`. */
export const segmentSum = segmentOperator("segmentSum");
