import type { Activation, Rounding } from "../../graph.ts";
import type { Operator } from "../types.ts";
import { summing } from "./summing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly add: { readonly activation: Activation; readonly rounding?: Rounding };
  }
}

/** a + b with broadcasting: see `summing`. Source: TFLM's Add. */
export const add: Operator<"add"> = summing("add");
