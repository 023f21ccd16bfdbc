import type { Operator } from "../types.ts";
import { complexPart } from "./complex.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly imag: Record<never, never>;
  }
}

/** The imaginary part of complex64. C1, C2: see `complexPart`. */
export const imag: Operator<"imag"> = complexPart("imag");
