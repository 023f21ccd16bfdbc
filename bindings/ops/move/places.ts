import { denseStrides } from "../../primitives/broadcast.ts";
import { startTable } from "../../primitives/move/walk.ts";
import { BITS, elementCount, sizeOf, type TensorType } from "../../tensor.ts";
import type { Lowering } from "../types.ts";

/** What tuples of indices `[…, depth]` point at in a tensor: the fields of `gatherNd` and `scatterNd` that say it. */
export function placesOf(to: Lowering, indices: TensorType, { shape, dtype }: TensorType) {
  const depth = sizeOf(indices, -1);
  const size = BITS[dtype] / 8;
  return {
    indexBytes: BITS[indices.dtype] / 8,
    count: elementCount(indices.shape.slice(0, -1)),
    depth,
    placeTable: to.place(startTable(shape.slice(0, depth), denseStrides(shape), size)),
    bytes: elementCount(shape.slice(depth)) * size,
  };
}
