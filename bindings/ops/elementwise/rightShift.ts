import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly rightShift: Record<never, never>;
  }
}

/** a shifted right by b, which is held to 0 … bits − 1, with broadcasting; signed types keep their sign. C1–C5: see `arithmetic`. */
export const rightShift: Operator<"rightShift"> = arithmetic({
  whole: "rightShift",
  raw: ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"],
});
