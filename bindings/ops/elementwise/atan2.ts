import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly atan2: Record<never, never>;
  }
}

/** The angle of the point (b, a), with broadcasting, float32. C1–C5: see `arithmetic`. */
export const atan2: Operator<"atan2"> = arithmetic({ real: "atan2" });
