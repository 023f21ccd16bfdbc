import { type Permutation, permutationOf, permuteBytes } from "../../primitives/move/movement.ts";
import { BITS } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireBytes,
  requireConstant,
  requireDType,
  requireInputs,
} from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

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

function layoutOf(node: NodeView<"transpose">): Permutation | undefined {
  const x = inputOf(node, 0);
  return permutationOf(x.shape, orderOf(node), BITS[x.dtype] / 8);
}

/**
 * Reorders dimensions, any type of whole bytes. C1: x and a permutation, one output. C2: the type stays and has whole
 * bytes. C3: a constant permutation. C4: each axis once. C5: at most six dimensions that cannot be merged.
 */
export const transpose: Operator<"transpose"> = {
  infer(node) {
    requireInputs(node, 2);
    const x = inputOf(node, 0);
    requireDType(node, "C2", outputOf(node), x.dtype);
    requireBytes(node, "C2", x);
    const order = orderOf(node);
    const once = order.length === x.shape.length && x.shape.every((_, axis) => order.includes(axis));
    constrain(node, "C4", once, () => ({
      expected: `each of ${x.shape.length} axes once`,
      received: `[${order.join(",")}]`,
    }));
    constrain(
      node,
      "C5",
      layoutOf(node) !== undefined,
      () => ({ expected: "at most 6 dimensions", received: `[${x.shape.join(",")}] by [${order.join(",")}]` }),
      "UNSUPPORTED",
    );
    return [{ dtype: x.dtype, shape: order.map((axis) => x.shape[axis] as number) }];
  },
  fold: (node) => [permuteBytes(inputOf(node, 0).data as Uint8Array, layoutOf(node) as Permutation)],
  lower(node, to) {
    const layout = layoutOf(node);
    if (layout === undefined) return;
    const [d0, d1, d2, d3, d4, d5] = layout.sizes;
    const [x0, x1, x2, x3, x4, x5] = layout.strides;
    to.call({
      kernel: "permute",
      params: {
        ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0, size: layout.size },
        ...{ d0, d1, d2, d3, d4, d5, x0, x1, x2, x3, x4, x5 },
      },
    });
  },
};
