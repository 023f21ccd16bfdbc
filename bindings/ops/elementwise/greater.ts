import type { Operator } from "../types.ts";
import { comparison } from "./comparison.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly greater: Record<never, never>;
  }
}

/** a > b, with broadcasting. C1–C5: see `comparison`. */
export const greater: Operator<"greater"> = comparison("greater");
