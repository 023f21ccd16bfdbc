import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly maximum: Record<never, never>;
  }
}

/** The greater of a and b, with broadcasting; of quantized tensors the greater number, whatever the scales. C1–C5: see `arithmetic`. */
export const maximum: Operator<"maximum"> = arithmetic({
  real: "maximum",
  whole: "maximum",
  raw: ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"],
});
