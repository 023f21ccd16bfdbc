/** What the types of TRANSPOSE_CONV share. */
import { placeWindow } from "../../primitives/window.ts";
import { type Constrained, inputOf } from "../constraints.ts";
import type { NodeView } from "../types.ts";

/** Rows and columns of padding before the first. */
export function paddingOf(node: NodeView<"transposeConv">): readonly [number, number] {
  const [, h = 1, w = 1] = node.outputs[0]?.shape ?? [];
  const [, kH = 1, kW = 1] = inputOf(node, 1).shape;
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
