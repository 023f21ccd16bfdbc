import { split } from "../../primitives/move/view.ts";
import type { Operator } from "../types.ts";
import { regrouping } from "./pixels.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly spaceToDepth: { readonly block: number };
  }
}

/** Blocks of pixels become channels, any type. C1–C4: see `regrouping`; the block divides height and width. */
export const spaceToDepth: Operator<"spaceToDepth"> = regrouping({
  shape: ([n, h, w, c], block) => [n, h / block, w / block, c * block * block],
  expected: "a block that divides height and width",
  parts: (x, block) => split(split(x, 2, block), 1, block),
});
