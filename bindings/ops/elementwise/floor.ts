import type { Operator } from "../types.ts";
import { unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly floor: Record<never, never>;
  }
}

/** The greatest whole number that is not above x, float32. C1, C2: see `unary`. */
export const floor: Operator<"floor"> = unary({ real: () => ({ form: "floor" }) });
