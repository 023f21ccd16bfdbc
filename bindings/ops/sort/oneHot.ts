import { byteLength, elementCount } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAxis,
  requireBytes,
  requireConstant,
  requireDType,
  requireInputs,
} from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { integersOf } from "../values.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** indices, depth (a constant), the value on, the value off. */
    readonly oneHot: { readonly axis: number };
  }
}

/** The new axis and how long it is. */
function placeOf(node: NodeView<"oneHot">): { readonly axis: number; readonly depth: number } {
  const depths = requireConstant(node, "C3", inputOf(node, 1));
  const [depth = -1] = depths;
  constrain(node, "C3", depths.length === 1 && depth >= 0, () => ({
    expected: "one depth from 0 on",
    received: depths.join(","),
  }));
  const rank = inputOf(node, 0).shape.length + 1;
  const { axis } = node.attributes;
  return { axis: requireAxis(node, "C4", axis === -1 ? rank - 1 : axis, rank), depth };
}

/**
 * A new axis that is on where its index is named, off elsewhere. C1: indices, depth, on and off; one output. C2: indices
 * int32 or int64; on, off and the output of one type of whole bytes, on and off scalars. C3: the depth a constant. C4: the
 * axis inside the new rank. Source: TFLite's one_hot.
 */
export const oneHot: Operator<"oneHot"> = {
  infer(node) {
    requireInputs(node, 4);
    const indices = inputOf(node, 0);
    const on = inputOf(node, 2);
    requireDType(node, "C2", indices, "int32", "int64");
    requireBytes(node, "C2", on);
    requireDType(node, "C2", inputOf(node, 3), on.dtype);
    requireDType(node, "C2", outputOf(node), on.dtype);
    const scalars = elementCount(on.shape) === 1 && elementCount(inputOf(node, 3).shape) === 1;
    constrain(node, "C2", scalars, () => ({ expected: "one value on and one off", received: "others" }));
    const { axis, depth } = placeOf(node);
    const shape = [...indices.shape.slice(0, axis), depth, ...indices.shape.slice(axis)];
    return [{ dtype: on.dtype, shape }];
  },
  fold(node) {
    const y = new Uint8Array(byteLength(outputOf(node)));
    const { axis, depth } = placeOf(node);
    const size = requireBytes(node, "C2", inputOf(node, 2));
    const inner = elementCount(inputOf(node, 0).shape.slice(axis));
    const indices = integersOf(inputOf(node, 0));
    for (let at = 0; at < y.length; at += size) {
      const place = at / size;
      const row = Math.floor(place / inner);
      const isOn = indices[Math.floor(row / depth) * inner + (place % inner)] === row % depth;
      y.set(inputOf(node, isOn ? 2 : 3).data as Uint8Array, at);
    }
    return [y];
  },
  lower(node, to) {
    const { dtype, shape } = inputOf(node, 0);
    if (elementCount(outputOf(node).shape) === 0) return;
    const { axis, depth } = placeOf(node);
    to.call({
      kernel: "oneHot",
      params: {
        x: to.input(0),
        y: to.output(0),
        on: to.input(2),
        off: to.input(3),
        outer: elementCount(shape.slice(0, axis)),
        depth,
        inner: elementCount(shape.slice(axis)),
        indexSize: dtype === "int64" ? 8 : 4,
        size: requireBytes(node, "C2", inputOf(node, 2)),
      },
    });
  },
};
