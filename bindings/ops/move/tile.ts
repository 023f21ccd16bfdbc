import { repeat, split, type View, whole } from "../../primitives/move/view.ts";
import { listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { type Move, moving, requireData, requireMoves } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, multiples (constant, one a dimension). */
    readonly tile: Record<never, never>;
  }
}

const multiplesOf = (node: NodeView<"tile">) => requireConstant(node, "C3", inputOf(node, 1));

function movesOf(node: NodeView<"tile">, y: readonly number[]): readonly Move[] {
  const { shape } = inputOf(node, 0);
  const multiples = multiplesOf(node);
  if (y.some((n) => n === 0)) return [];
  let from: View = whole(shape);
  let to: View = whole(y);
  for (const [d, n] of shape.entries()) {
    from = repeat(from, 2 * d, multiples[d] as number);
    to = split(to, 2 * d, n);
  }
  return [{ x: 0, y: 0, from, to }];
}

const shapeOf = (node: NodeView<"tile">) => {
  const multiples = multiplesOf(node);
  return inputOf(node, 0).shape.map((n, d) => n * (multiples[d] as number));
};

/**
 * Repeats a tensor along its dimensions, any type. C1: x and multiples, one output. C2: the type stays and has whole
 * bytes; at most eight dimensions. C3: constant multiples from 0, one a dimension. C4: few enough copies.
 */
export const tile: Operator<"tile"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    const multiples = multiplesOf(node);
    constrain(node, "C3", multiples.length === x.shape.length && multiples.every((n) => n >= 0), () => ({
      expected: `${x.shape.length} multiples from 0`,
      received: listText(multiples),
    }));
    const shape = shapeOf(node);
    requireMoves(node, "C4", movesOf(node, shape));
    return [{ dtype: x.dtype, shape }];
  },
  ...moving<"tile">((node) => movesOf(node, outputOf(node).shape)),
};
