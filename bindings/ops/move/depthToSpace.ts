import { reorder, split, whole } from "../../primitives/move/view.ts";
import { dimensions, listText } from "../../tensor.ts";
import { constrain, inputOf, requireImage, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { moving, requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly depthToSpace: { readonly block: number };
  }
}

function shapeOf(node: NodeView<"depthToSpace">): readonly number[] {
  const [n, h, w, c] = dimensions(inputOf(node, 0).shape, 4);
  const { block } = node.attributes;
  return [n, h * block, w * block, c / block / block];
}

/**
 * Channels become blocks of pixels, any type. C1: x, one output. C2: the type stays and has whole bytes. C3: `[N,H,W,C]`,
 * none of them 0. C4: the block is at least 1 and its square divides the channels.
 */
export const depthToSpace: Operator<"depthToSpace"> = {
  infer(node) {
    requireTensors(node, 1, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    requireImage(node, "C3", x);
    const { block } = node.attributes;
    constrain(node, "C4", block >= 1 && shapeOf(node).every(Number.isInteger), () => ({
      expected: "a block whose square divides the channels",
      received: `block ${block}, ${listText(x.shape)}`,
    }));
    return [{ dtype: x.dtype, shape: shapeOf(node) }];
  },
  ...moving<"depthToSpace">((node) => {
    const { block } = node.attributes;
    const { shape } = inputOf(node, 0);
    const channels = (shape[3] as number) / block / block;
    const blocks = split(split(whole(shape), 3, channels), 3, block);
    const from = reorder(blocks, [0, 1, 3, 2, 4, 5]);
    return [{ x: 0, y: 0, from, to: whole(from.sizes) }];
  }),
};
