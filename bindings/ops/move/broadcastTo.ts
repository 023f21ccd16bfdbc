import { broadcastShape, broadcastStrides } from "../../primitives/broadcast.ts";
import { whole } from "../../primitives/move/view.ts";
import { listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { moving, requireData, requireRank } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, shape (constant). */
    readonly broadcastTo: Record<never, never>;
  }
}

/**
 * Repeats a tensor into a shape, any type. C1: x and a shape, one output. C2: the type stays and has whole bytes; at most
 * eight dimensions. C3: the shape is a constant. C4: x broadcasts to it.
 */
export const broadcastTo: Operator<"broadcastTo"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    const shape = requireConstant(node, "C3", inputOf(node, 1));
    requireRank(node, shape);
    const fits = shape.every((n) => n >= 0) && `${broadcastShape(x.shape, shape)}` === `${shape}`;
    constrain(node, "C4", fits && x.shape.length <= shape.length, () => ({
      expected: `a shape that ${listText(x.shape)} broadcasts to`,
      received: listText(shape),
    }));
    return [{ dtype: x.dtype, shape }];
  },
  ...moving<"broadcastTo">((node) => {
    const { shape } = outputOf(node);
    const strides = broadcastStrides(inputOf(node, 0).shape, shape);
    return [{ x: 0, y: 0, from: { offset: 0, sizes: shape, strides }, to: whole(shape) }];
  }),
};
