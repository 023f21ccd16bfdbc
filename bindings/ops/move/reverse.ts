import { cut, whole } from "../../primitives/move/view.ts";
import { inputOf, requireAxis, requireConstant, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { moving, requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (constant). */
    readonly reverse: Record<never, never>;
  }
}

const axesOf = (node: NodeView<"reverse">) =>
  new Set(
    requireConstant(node, "C3", inputOf(node, 1)).map((axis) =>
      requireAxis(node, "C3", axis, inputOf(node, 0).shape.length),
    ),
  );

/**
 * Turns axes round, any type. C1: x and axes, one output. C2: the type stays and has whole bytes; at most eight
 * dimensions. C3: constant axes inside the rank.
 */
export const reverse: Operator<"reverse"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const { dtype, shape } = inputOf(node, 0);
    requireData(node, inputOf(node, 0));
    axesOf(node);
    return [{ dtype, shape }];
  },
  ...moving<"reverse">((node) => {
    const { shape } = inputOf(node, 0);
    const all = whole(shape);
    const from = [...axesOf(node)].reduce((view, axis) => {
      const size = shape[axis] as number;
      return cut(view, axis, Math.max(size - 1, 0), size, -1);
    }, all);
    return [{ x: 0, y: 0, from, to: all }];
  }),
};
