import { extremeOperator } from "./extreme.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axis (a constant). */
    readonly argMax: Record<never, never>;
  }
}

/** Where the greatest element is. C1–C5: see `extremeOperator`. */
export const argMax = extremeOperator("argMax");
