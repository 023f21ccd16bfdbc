import type { Operator } from "../types.ts";
import { selecting } from "./selecting.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly select: Record<never, never>;
  }
}

/** a where the condition is true, else b; a and b of one shape. C1–C5: see `selecting`. */
export const select: Operator<"select"> = selecting("select");
