import { split } from "../../primitives/move/view.ts";
import type { Operator } from "../types.ts";
import { regrouping } from "./pixels.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly depthToSpace: { readonly block: number };
  }
}

/** Channels become blocks of pixels, any type. C1–C4: see `regrouping`; the block's square divides the channels. */
export const depthToSpace: Operator<"depthToSpace"> = regrouping({
  shape: ([n, h, w, c], block) => [n, h * block, w * block, c / block / block],
  expected: "a block whose square divides the channels",
  parts: (x, block) => split(split(x, 3, (x.sizes[3] as number) / block / block), 3, block),
});
