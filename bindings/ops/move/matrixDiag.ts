import { diagonals, whole } from "../../primitives/move/view.ts";
import { inputOf, outputOf, requireDimensions, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { moving, requireData, requireRank, zeroBytes } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly matrixDiag: Record<never, never>;
  }
}

/**
 * Vectors as diagonals of matrices of zeros, any type. C1: x, one output. C2: the type stays and has whole bytes; at most
 * eight dimensions. C3: x has a dimension.
 */
export const matrixDiag: Operator<"matrixDiag"> = {
  infer(node) {
    requireTensors(node, 1, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    requireDimensions(node, "C3", inputOf(node, 0));
    const shape = [...x.shape, x.shape.at(-1) as number];
    requireRank(node, shape);
    return [{ dtype: x.dtype, shape }];
  },
  ...moving<"matrixDiag">(
    (node) => [{ x: 0, y: 0, from: whole(inputOf(node, 0).shape), to: diagonals(outputOf(node).shape) }],
    (node) => zeroBytes(outputOf(node)).fill(0),
  ),
};
