import { diagonals, whole } from "../../primitives/move/view.ts";
import { listText } from "../../tensor.ts";
import { constrain, inputOf, requireDType, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { moving, requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, diagonals. */
    readonly matrixSetDiag: Record<never, never>;
  }
}

/**
 * Matrices with other diagonals, any type. C1: x and diagonals, one output. C2: the type stays and has whole bytes; at
 * most eight dimensions. C3: two dimensions or more, and diagonals of their shape.
 */
export const matrixSetDiag: Operator<"matrixSetDiag"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const [x, values] = [inputOf(node, 0), inputOf(node, 1)];
    requireData(node, x);
    requireDType(node, "C2", values, x.dtype);
    const fits = x.shape.length >= 2 && `${diagonals(x.shape).sizes}` === `${values.shape}`;
    constrain(node, "C3", fits, () => ({
      expected: "matrices and their diagonals",
      received: `${listText(x.shape)} and ${listText(values.shape)}`,
    }));
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  ...moving<"matrixSetDiag">((node) => {
    const { shape } = inputOf(node, 0);
    return [
      { x: 0, y: 0, from: whole(shape), to: whole(shape) },
      { x: 1, y: 0, from: whole(inputOf(node, 1).shape), to: diagonals(shape) },
    ];
  }),
};
