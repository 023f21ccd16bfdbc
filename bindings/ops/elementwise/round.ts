import type { Operator } from "../types.ts";
import { unary } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly round: Record<never, never>;
  }
}

/** The nearest whole number, ties to even, float32. C1, C2: see `unary`. */
export const round: Operator<"round"> = unary({ real: () => ({ form: "round" }) });
