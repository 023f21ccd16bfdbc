import { reorder, whole } from "../../primitives/move/view.ts";
import { listText } from "../../tensor.ts";
import { constrain, inputOf, requireConstant, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { moving, requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, permutation (constant). */
    readonly transpose: Record<never, never>;
  }
}

function orderOf(node: NodeView<"transpose">): readonly number[] {
  const { length } = inputOf(node, 0).shape;
  return requireConstant(node, "C3", inputOf(node, 1)).map((axis) => (axis < 0 ? axis + length : axis));
}

/**
 * Reorders dimensions, any type. C1: x and a permutation, one output. C2: the type stays and has whole bytes; at most
 * eight dimensions. C3: a constant permutation. C4: each axis once.
 */
export const transpose: Operator<"transpose"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    const order = orderOf(node);
    const once = order.length === x.shape.length && x.shape.every((_, axis) => order.includes(axis));
    constrain(node, "C4", once, () => ({
      expected: `each of ${x.shape.length} axes once`,
      received: listText(order),
    }));
    return [{ dtype: x.dtype, shape: order.map((axis) => x.shape[axis] as number) }];
  },
  ...moving<"transpose">((node) => {
    const from = reorder(whole(inputOf(node, 0).shape), orderOf(node));
    return [{ x: 0, y: 0, from, to: whole(from.sizes) }];
  }),
};
