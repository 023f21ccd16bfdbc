import { extremeOperator } from "./extreme.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axis (a constant). */
    readonly argMin: Record<never, never>;
  }
}

/** Where the least element is. C1–C5: see `extremeOperator`. */
export const argMin = extremeOperator("argMin");
