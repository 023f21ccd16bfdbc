import { elementCount } from "../../tensor.ts";
import { inputOf, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireOpen } from "./moving.ts";
import { callWhere, requirePlaced } from "./nonZeroPlaces.ts";

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
    const x = requirePlaced(node);
    const rank = x.shape.length;
    const count = elementCount(x.shape);
    if (!isRows) return [{ dtype: "int64", shape: [rank, count], open: "length" }];
    return [
      { dtype: "int64", shape: [count, rank] },
      { dtype: "int32", shape: [] },
    ];
  },
  lower(node, to) {
    const { shape } = inputOf(node, 0);
    const isRows = node.attributes.form === "rows";
    callWhere(to, { room: isRows ? elementCount(shape) * shape.length * 8 : 0, isColumns: isRows ? 0 : 1 });
  },
};
