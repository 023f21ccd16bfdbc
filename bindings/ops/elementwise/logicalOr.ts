import type { Operator } from "../types.ts";
import { sameSizeInputs } from "./elementwise.ts";
import { foldPairs } from "./folding.ts";
import { callPairsInt, inferPairs, placed } from "./pairs.ts";
import { bySlices } from "./slices.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly logicalOr: Record<never, never>;
  }
}

/** One is true, with broadcasting; bool. C1, C2, C4, C5: see `inferPairs`. */
export const logicalOr: Operator<"logicalOr"> = {
  infer: (node) => inferPairs(node, ["bool"]),
  fold: (node) => foldPairs(node, "or"),
  inPlace: sameSizeInputs,
  lower: (node, to) => bySlices(node, to, (_, slice) => callPairsInt(slice, "or", "bool", placed(slice))),
};
