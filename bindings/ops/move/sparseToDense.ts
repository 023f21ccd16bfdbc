import { denseStrides } from "../../primitives/broadcast.ts";
import { startTable } from "../../primitives/move/walk.ts";
import { BITS, byteLength, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { fill, requireData, requireRank } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** indices (`[]`, `[n]` or `[n, rank]`), shape (constant), values (one, or n), the value everywhere else. */
    readonly sparseToDense: Record<never, never>;
  }
}

/** How many places, named by how many indices each. */
function placesOf(node: NodeView<"sparseToDense">): { readonly count: number; readonly depth: number } {
  const [count = 1, depth = 1] = inputOf(node, 0).shape;
  return { count, depth };
}

/**
 * Values at places, another everywhere else; of those that meet the last stays, places outside are left out. C1: indices,
 * shape, values and a default, one output. C2: the type stays and has whole bytes; at most eight dimensions. C3: int32 or
 * int64 indices; the shape is a constant. C4: one value, or one a place; one default. C5: as many indices as dimensions.
 */
export const sparseToDense: Operator<"sparseToDense"> = {
  infer(node) {
    requireTensors(node, 4, 1);
    const [indices, values, rest] = [inputOf(node, 0), inputOf(node, 2), inputOf(node, 3)];
    requireData(node, values);
    requireDType(node, "C2", rest, values.dtype);
    requireDType(node, "C3", indices, "int32", "int64");
    const shape = requireConstant(node, "C3", inputOf(node, 1));
    requireRank(node, shape);
    const { count, depth } = placesOf(node);
    const one = elementCount(values.shape) === 1 || elementCount(values.shape) === count;
    constrain(node, "C4", one && elementCount(rest.shape) === 1, () => ({
      expected: `1 or ${count} values and one default`,
      received: `${listText(values.shape)} and ${listText(rest.shape)}`,
    }));
    const fits = indices.shape.length <= 2 && depth === shape.length && shape.every((n) => n >= 0);
    constrain(node, "C5", fits, () => ({
      expected: `indices [n,${shape.length}]`,
      received: listText(indices.shape),
    }));
    return [{ dtype: values.dtype, shape }];
  },
  lower(node, to) {
    const y = outputOf(node);
    for (const output of to.outputs) fill(output, to.input(3), to.call);
    const { count, depth } = placesOf(node);
    if (byteLength(y) === 0 || count === 0) return;
    const size = BITS[y.dtype] / 8;
    to.call({
      kernel: "scatterNd",
      params: {
        x: to.input(2),
        y: to.output(0),
        indices: to.input(0),
        indexBytes: BITS[inputOf(node, 0).dtype] / 8,
        count,
        depth,
        size,
        bytes: size,
        placeTable: to.place(startTable(y.shape, denseStrides(y.shape), size)),
        mode: elementCount(inputOf(node, 2).shape) === count ? 0 : 3,
      },
    });
  },
};
