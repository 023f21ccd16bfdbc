import type { Operator } from "../types.ts";
import { sameSizeInputs } from "./elementwise.ts";
import { foldPairs } from "./folding.ts";
import { callPairsInt, inferPairs, placed } from "./pairs.ts";
import { bySlices } from "./slices.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly logicalAnd: Record<never, never>;
  }
}

/** Both are true, with broadcasting; bool. C1, C2, C4, C5: see `inferPairs`. */
export const logicalAnd: Operator<"logicalAnd"> = {
  infer: (node) => inferPairs(node, ["bool"]),
  fold: (node) => foldPairs(node, "and"),
  inPlace: sameSizeInputs,
  lower: (node, to) => bySlices(node, to, (_, slice) => callPairsInt(slice, "and", "bool", placed(slice))),
};
