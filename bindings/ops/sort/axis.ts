/** Operators along one axis that their second input names: what ARG_MAX, ARG_MIN and CUMSUM share. */
import { elementCount } from "../../tensor.ts";
import { inputOf, requireAxisInput } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";

type Along = "argMax" | "argMin" | "cumsum";

/** The axis of x. C3: one constant. C4: inside the rank. */
export function axisOf(node: NodeView<Along>): number {
  return requireAxisInput(node, "C3", 1, inputOf(node, 0).shape.length, "C4");
}

/** Addresses, and the sizes before, along and behind the axis. */
export function alongAxis(node: NodeView<Along>, to: Lowering) {
  const { shape } = inputOf(node, 0);
  const axis = axisOf(node);
  return {
    x: to.input(0),
    y: to.output(0),
    outer: elementCount(shape.slice(0, axis)),
    depth: shape[axis] as number,
    inner: elementCount(shape.slice(axis + 1)),
  };
}
