import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly minimum: Record<never, never>;
  }
}

/** The lesser of a and b, with broadcasting; of quantized tensors the lesser number, whatever the scales. C1–C5: see `arithmetic`. */
export const minimum: Operator<"minimum"> = arithmetic({
  real: "minimum",
  whole: "minimum",
  raw: ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"],
});
