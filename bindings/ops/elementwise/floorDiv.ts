import type { Operator } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly floorDiv: Record<never, never>;
  }
}

/** floor(a / b), with broadcasting; of integers by 0 it is 0. C1–C5: see `arithmetic`. */
export const floorDiv: Operator<"floorDiv"> = arithmetic({
  real: "floorDiv",
  whole: "floorDiv",
  raw: ["int8", "int16", "int32", "int64"],
});
