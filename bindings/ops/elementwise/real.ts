import type { Operator } from "../types.ts";
import { complexPart } from "./complex.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly real: Record<never, never>;
  }
}

/** The real part of complex64. C1, C2: see `complexPart`. */
export const real: Operator<"real"> = complexPart("real");
