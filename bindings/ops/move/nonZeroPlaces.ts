import { words } from "../../primitives/move/walk.ts";
import { BITS, elementCount, type Tensor } from "../../tensor.ts";
import { inputOf, requireBytes, requireDimensions, requireDType } from "../constraints.ts";
import type { Lowering, NodeView, Placed } from "../types.ts";
import { requireRank } from "./moving.ts";

/** C2: x of whole bytes, at most eight dimensions and at least one. */
export function requirePlaced(node: NodeView<"where" | "nonZero">): Tensor {
  const x = inputOf(node, 0);
  requireDType(node, "C2", x, "bool", "float32", "int32", "uint32", "int64", "int8", "uint8", "int16");
  requireBytes(node, "C2", x);
  requireRank(node, x.shape);
  requireDimensions(node, "C2", x);
  return x;
}

/** One call of `where`: `room` bytes are cleared behind the last place; `isColumns`: `[rank, n]` in place of `[n, rank]`. */
export function callWhere(
  to: Lowering,
  { room, isColumns }: { readonly room: number; readonly isColumns: 0 | 1 },
): void {
  const [{ shape, dtype }] = to.inputs as readonly [Placed];
  to.call({
    kernel: "where",
    params: {
      x: to.input(0),
      y: to.output(0),
      lengthAt: to.output(1),
      count: elementCount(shape),
      size: BITS[dtype] / 8,
      mask: dtype === "float32" ? 0x7fffffff : -1,
      rank: shape.length,
      sizeTable: to.place(words(shape)),
      room,
      isColumns,
    },
  });
}
