import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly bitwiseXor: Record<never, never>;
  }
}

/** a xor b, with broadcasting. C1–C5: see `arithmetic`. */
export const bitwiseXor: Operator<"bitwiseXor"> = arithmetic({
  whole: "bitwiseXor",
  raw: ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"],
});
