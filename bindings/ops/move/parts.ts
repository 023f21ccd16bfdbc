/** Operators whose outputs are parts of one input along an axis. */
import type { OpKind } from "../../graph.ts";
import { cut, whole } from "../../primitives/move/view.ts";
import { inputOf } from "../constraints.ts";
import type { NodeView } from "../types.ts";
import { type Move, moving } from "./moving.ts";

/** Each output is the next part of input `x` along an axis. */
export function movesAlong<K extends OpKind>(x: number, axisOf: (node: NodeView<K>) => number) {
  return moving<K>((node) => {
    const axis = axisOf(node);
    const all = whole(inputOf(node, x).shape);
    let begin = 0;
    return node.outputs.map(({ shape }, y): Move => {
      const size = shape[axis] as number;
      const from = cut(all, axis, begin, size);
      begin += size;
      return { x, y, from, to: whole(shape) };
    });
  });
}
