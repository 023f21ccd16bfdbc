/** What the types of TRANSPOSE_CONV share. */

import { placeWindow } from "../../primitives/window.ts";
import { dimensions } from "../../tensor.ts";
import { type Constrained, inputOf, outputOf } from "../constraints.ts";
import type { NodeView } from "../types.ts";

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

/** The node with its inputs in the order of other products: x, weights, bias. */
export function asProduct(node: Constrained): Constrained {
  const [, w, x, bias] = node.inputs;
  const { where, outputs, attributes } = node;
  const inputs = bias === undefined ? [x, w] : [x, w, bias];
  return { where, inputs, outputs, ...(attributes ? { attributes } : {}) };
}
