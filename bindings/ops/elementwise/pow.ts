import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly pow: Record<never, never>;
  }
}

/** a to the power of b, with broadcasting; whole powers of integers wrap. C1–C5: see `arithmetic`. */
export const pow: Operator<"pow"> = arithmetic({ real: "pow", whole: "pow", raw: ["int32", "int64"] });
