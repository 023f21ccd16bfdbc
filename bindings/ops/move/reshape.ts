import { elementCount, listText, type Tensor } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireDType, requireInputs } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, shape (optional constant; else `shape`). */
    readonly reshape: { readonly shape?: readonly number[] };
  }
}

/** More sizes than any shape has. */
const MOST_SIZES = 16;

/** The wished shape: the constant input, else the attribute, else what the file says of the output. */
function wished(node: NodeView<"reshape">): readonly number[] {
  const shape = node.inputs[1];
  if (shape?.data !== undefined && shape.shape.length <= 1) {
    constrain(node, "C3", elementCount(shape.shape) <= MOST_SIZES, () => ({
      expected: `at most ${MOST_SIZES} sizes`,
      received: `${shape.shape[0]}`,
    }));
    return requireConstant(node, "C2", shape);
  }
  return node.attributes.shape ?? outputOf(node).shape;
}

/** Zeros as sizes of x where the shape is one of other elements than x has: what writers of files mean by them. */
function copied(sizes: readonly number[], x: Tensor): readonly number[] {
  if (elementCount(x.shape) === 0 || !sizes.includes(0)) return sizes;
  return sizes.map((size, d) => (size === 0 ? (x.shape[d] ?? 0) : size));
}

/**
 * The same bytes in another shape; any type. C1: x and perhaps a shape, one output. C2: the shape is int32 or int64.
 * C3: sizes from 0, and at most one −1, which stands for what is left; 0 where x is not empty is x's own size. C4: as many elements as before. C5: the type
 * stays.
 */
export const reshape: Operator<"reshape"> = {
  infer(node) {
    requireInputs(node, 1, 2);
    const x = inputOf(node, 0);
    requireDType(node, "C5", outputOf(node), x.dtype);
    const sizes = copied(wished(node), x);
    const valid = sizes.every((size) => Number.isInteger(size) && size >= -1);
    constrain(node, "C3", valid && sizes.filter((size) => size === -1).length <= 1, () => ({
      expected: "sizes from 0 and at most one −1",
      received: listText(sizes),
    }));
    const count = elementCount(x.shape);
    const known = elementCount(sizes.filter((size) => size !== -1));
    const shape = sizes.map((size) => (size === -1 ? (known === 0 ? 0 : count / known) : size));
    const fits = elementCount(shape) === count && shape.every(Number.isInteger);
    const target = node.inputs[1];
    if (!fits && target !== undefined && target.data === undefined && target.shape.length === 1) {
      requireDType(node, "C2", target, "int32", "int64");
      const rank = target.shape[0] as number;
      constrain(node, "C3", rank >= 1 && rank <= 8, () => ({ expected: "1 to 8 sizes", received: `${rank}` }));
      return [{ dtype: x.dtype, shape: [count, ...new Array<number>(rank - 1).fill(1)], open: "shape" }];
    }
    constrain(node, "C4", fits, () => ({
      expected: `a shape of ${count} elements`,
      received: listText(sizes),
      hint: "A shape that was written for one batch size holds for no other: the option batch writes it anew.",
    }));
    return [{ dtype: x.dtype, shape }];
  },
  fold: (node) => [inputOf(node, 0).data as Uint8Array],
  alias: true,
};
