/** What the types of TRANSPOSE_CONV share. */

import { placeWindow } from "../../primitives/window.ts";
import { dimensions } from "../../tensor.ts";
import { areWhole, type Constrained, constrain, inputOf, outputOf } from "../constraints.ts";
import type { NodeView } from "../types.ts";
import { MOST_PHASES } from "./transposedF32.ts";

/** Rows and columns of padding before the first. */
export function paddingOf(node: NodeView<"transposeConv">): readonly [number, number] {
  const [, h, w] = dimensions(outputOf(node).shape, 4);
  const [, kH, kW] = dimensions(inputOf(node, 1).shape, 4);
  const { stride, padding } = node.attributes;
  return [
    placeWindow(h, kH, stride[0], 1, padding, "height").before,
    placeWindow(w, kW, stride[1], 1, padding, "width").before,
  ];
}

/** C7: strides from 1 to 65535, and few enough phases, each of which is a step. */
export function requirePhases(node: Constrained, stride: readonly [number, number], phases: number): void {
  constrain(node, "C7", areWhole(stride, 1, 65535) && phases <= MOST_PHASES, () => ({
    expected: `strides from 1 to 65535, at most ${MOST_PHASES} in all`,
    received: stride.join("x"),
  }));
}

/** The node with its inputs in the order of other products: x, weights, bias. */
export function asProduct(node: Constrained): Constrained {
  const [, w, x, bias] = node.inputs;
  const { where, outputs, attributes } = node;
  const inputs = bias === undefined ? [x, w] : [x, w, bias];
  return { where, inputs, outputs, ...(attributes ? { attributes } : {}) };
}
