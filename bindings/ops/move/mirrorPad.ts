import { cut, whole } from "../../primitives/move/view.ts";
import { listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { type Move, moving, requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, paddings `[rank,2]` (constant). `reflect` leaves the edge out, `symmetric` repeats it. */
    readonly mirrorPad: { readonly mode: "reflect" | "symmetric" };
  }
}

const padsOf = (node: NodeView<"mirrorPad">) => requireConstant(node, "C3", inputOf(node, 1));

/**
 * Pads with what lies on the other side of the edge, any type. C1: x and paddings, one output. C2: the type stays and has
 * whole bytes; at most eight dimensions. C3: paddings are a constant. C4: one pair a dimension, from 0 to the dimension's
 * size, one less where the edge is left out.
 */
export const mirrorPad: Operator<"mirrorPad"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    const pads = padsOf(node);
    const edge = node.attributes.mode === "reflect" ? 1 : 0;
    const fits = pads.length === 2 * x.shape.length;
    constrain(
      node,
      "C4",
      fits && pads.every((n, i) => n >= 0 && (n === 0 || n <= (x.shape[i >> 1] as number) - edge)),
      () => ({ expected: `a pair of sizes inside each of ${listText(x.shape)}`, received: listText(pads) }),
    );
    const shape = x.shape.map((n, d) => n + (pads[2 * d] as number) + (pads[2 * d + 1] as number));
    return [{ dtype: x.dtype, shape }];
  },
  // x into the middle; then axis by axis what the edges mirror: axes that are done are whole, later ones still the middle.
  ...moving<"mirrorPad">((node) => {
    const { shape } = inputOf(node, 0);
    const pads = padsOf(node);
    const edge = node.attributes.mode === "reflect" ? 1 : 0;
    const middle = (done: number) =>
      shape.reduce(
        (view, n, d) => (d < done ? view : cut(view, d, pads[2 * d] as number, n)),
        whole(outputOf(node).shape),
      );
    const moves: Move[] = [{ x: 0, y: 0, from: whole(shape), to: middle(0) }];
    for (const [axis, size] of shape.entries()) {
      const [before, after] = [pads[2 * axis] as number, pads[2 * axis + 1] as number];
      const around = middle(axis);
      // Counted from the middle's own begin: −1 is the element before it.
      if (before > 0)
        moves.push({ x: "y", y: 0, from: cut(around, axis, edge, before), to: cut(around, axis, -1, before, -1) });
      if (after > 0)
        moves.push({
          x: "y",
          y: 0,
          from: cut(around, axis, size - 1 - edge, after, -1),
          to: cut(around, axis, size, after),
        });
    }
    return moves;
  }),
};
