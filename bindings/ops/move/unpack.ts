import { cut, replaced, whole } from "../../primitives/move/view.ts";
import { listText } from "../../tensor.ts";
import { constrain, inputOf, requireAxis, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { type Move, moving, requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly unpack: { readonly axis: number; readonly count: number };
  }
}

const axisOf = (node: NodeView<"unpack">) =>
  requireAxis(node, "C3", node.attributes.axis, inputOf(node, 0).shape.length);

/**
 * One output for each index of an axis, which goes away; any type. C1: x; outputs. C2: the type stays and has whole
 * bytes; at most eight dimensions. C3: an axis inside the rank. C4: as many outputs as its size.
 */
export const unpack: Operator<"unpack"> = {
  infer(node) {
    requireTensors(node, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    const axis = axisOf(node);
    constrain(node, "C4", x.shape[axis] === node.outputs.length, () => ({
      expected: `${node.outputs.length} along axis ${axis}`,
      received: listText(x.shape),
    }));
    return node.outputs.map(() => ({ dtype: x.dtype, shape: replaced(x.shape, axis, 1) }));
  },
  ...moving<"unpack">((node) => {
    const axis = axisOf(node);
    const all = whole(inputOf(node, 0).shape);
    return node.outputs.map((_, y): Move => {
      const from = cut(all, axis, y, 1);
      return { x: 0, y, from, to: whole(from.sizes) };
    });
  }),
};
