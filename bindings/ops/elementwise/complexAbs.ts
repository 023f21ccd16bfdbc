import type { Operator } from "../types.ts";
import { complexPart } from "./complex.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly complexAbs: Record<never, never>;
  }
}

/** The magnitude of complex64. C1, C2: see `complexPart`. */
export const complexAbs: Operator<"complexAbs"> = complexPart("complexAbs");
