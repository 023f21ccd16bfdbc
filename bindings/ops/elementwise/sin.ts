import type { Operator } from "../types.ts";
import { unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly sin: Record<never, never>;
  }
}

/** sin(x), float32. C1, C2: see `unary`. */
export const sin: Operator<"sin"> = unary({ real: () => ({ form: "sin" }) });
