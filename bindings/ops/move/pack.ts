import { cut, repeat, replaced, whole } from "../../primitives/move/view.ts";
import { listText, type Tensor } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireAxis, requireDType, requireInputs } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { type Move, moving, requireData, requireRank } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly pack: { readonly axis: number };
  }
}

const axisOf = (node: NodeView<"pack">) =>
  requireAxis(node, "C4", node.attributes.axis, inputOf(node, 0).shape.length + 1);

/**
 * Joins tensors along a new axis, any type. C1: at least one input, all there, one output. C2: the type stays and has
 * whole bytes; at most eight dimensions. C3: one type and one shape. C4: an axis inside the new rank.
 */
export const pack: Operator<"pack"> = {
  infer(node) {
    requireInputs(node, Math.max(node.inputs.length, 1));
    const first = inputOf(node, 0);
    requireData(node, first);
    for (const x of node.inputs as readonly Tensor[]) {
      requireDType(node, "C3", x, first.dtype);
      constrain(node, "C3", `${x.shape}` === `${first.shape}`, () => ({
        expected: listText(first.shape),
        received: listText(x.shape),
      }));
    }
    const shape = replaced(first.shape, axisOf(node), 0, node.inputs.length);
    requireRank(node, shape);
    return [{ dtype: first.dtype, shape }];
  },
  ...moving<"pack">((node) => {
    const axis = axisOf(node);
    const all = whole(outputOf(node).shape);
    return node.inputs.map((_, x): Move => {
      return { x, y: 0, from: repeat(whole(inputOf(node, 0).shape), axis, 1), to: cut(all, axis, x, 1) };
    });
  }),
};
