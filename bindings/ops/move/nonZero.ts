import { words } from "../../primitives/move/walk.ts";
import { BITS, elementCount } from "../../tensor.ts";
import { constrain, inputOf, requireBytes, requireDType } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireOpen, requireRank, requireTensors } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** `rows`: places `[N, rank]` with zeros after the last, and their count. `columns`: `[rank, n]`, n open. */
    readonly nonZero: { readonly form: "rows" | "columns" };
  }
}

/**
 * The places of what is not 0, int64. C1: x; places, and of rows an int32 count. C2: x of whole bytes, at most eight
 * dimensions and at least one. Source: ONNX's NonZero.
 */
export const nonZero: Operator<"nonZero"> = {
  infer(node) {
    const isRows = node.attributes.form === "rows";
    if (isRows) requireTensors(node, 1, 2);
    else requireOpen(node, 1, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", x, "bool", "float32", "int32", "uint32", "int64", "int8", "uint8", "int16");
    requireBytes(node, "C2", x);
    requireRank(node, x.shape);
    const rank = x.shape.length;
    constrain(node, "C2", rank > 0, () => ({ expected: "one dimension or more", received: "[]" }));
    const count = elementCount(x.shape);
    if (!isRows) return [{ dtype: "int64", shape: [rank, count], open: "length" }];
    return [
      { dtype: "int64", shape: [count, rank] },
      { dtype: "int32", shape: [] },
    ];
  },
  lower(node, to) {
    const { shape, dtype } = inputOf(node, 0);
    const isRows = node.attributes.form === "rows";
    const count = elementCount(shape);
    to.call({
      kernel: "where",
      params: {
        x: to.input(0),
        y: to.output(0),
        lengthAt: to.output(1),
        count,
        size: BITS[dtype] / 8,
        mask: dtype === "float32" ? 0x7fffffff : -1,
        rank: shape.length,
        sizeTable: to.place(words(shape)),
        room: isRows ? count * shape.length * 8 : 0,
        isColumns: isRows ? 0 : 1,
      },
    });
  },
};
