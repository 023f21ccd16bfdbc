import type { Operator } from "../types.ts";
import { unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly erf: Record<never, never>;
  }
}

/** The error function, float32, within 2e−7. C1, C2: see `unary`. */
export const erf: Operator<"erf"> = unary({ real: () => ({ form: "erf" }) });
