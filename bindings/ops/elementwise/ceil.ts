import type { Operator } from "../types.ts";
import { unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly ceil: Record<never, never>;
  }
}

/** The least whole number that is not below x, float32. C1, C2: see `unary`. */
export const ceil: Operator<"ceil"> = unary({ real: () => ({ form: "ceil" }) });
