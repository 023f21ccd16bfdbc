import { type Element, INTEGERS } from "../../primitives/elementwise/element.ts";
import { inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { sameSizeInputs } from "./elementwise.ts";
import { foldPairs } from "./folding.ts";
import { callPairsInt, inferPairs, placed } from "./pairs.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly bitwise: { readonly form: "and" | "or" };
  }
}

/** Bits that both, or one of both, have, with broadcasting; whole numbers. C1, C2, C4, C5: see `inferPairs`. */
export const bitwise: Operator<"bitwise"> = {
  infer: (node) => inferPairs(node, INTEGERS),
  fold: (node) => foldPairs(node, node.attributes.form),
  inPlace: sameSizeInputs,
  lower: (node, to) => callPairsInt(to, node.attributes.form, inputOf(node, 0).dtype as Element, placed(to)),
};
