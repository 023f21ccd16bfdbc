import type { Operator } from "../types.ts";
import { selecting } from "./selecting.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly selectV2: Record<never, never>;
  }
}

/** a where the condition is true, else b, all three broadcast. C1–C5: see `selecting`. */
export const selectV2: Operator<"selectV2"> = selecting("selectV2");
