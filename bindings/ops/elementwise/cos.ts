import type { Operator } from "../types.ts";
import { unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly cos: Record<never, never>;
  }
}

/** cos(x), float32. C1, C2: see `unary`. */
export const cos: Operator<"cos"> = unary({ real: () => ({ form: "cos" }) });
