import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly floorMod: Record<never, never>;
  }
}

/** a − b·floor(a / b), with broadcasting; of integers by 0 it is 0. C1–C5: see `arithmetic`. */
export const floorMod: Operator<"floorMod"> = arithmetic({
  real: "floorMod",
  whole: "floorMod",
  raw: ["int8", "int16", "int32", "int64"],
});
