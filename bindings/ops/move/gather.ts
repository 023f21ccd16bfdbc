import { cut, replaced, whole } from "../../primitives/move/view.ts";
import { walkBytes } from "../../primitives/move/walk.ts";
import { BITS, byteLength, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireAxis, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { INDEX_TYPES, integersOf } from "../values.ts";
import { requireData, requireRank } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, indices. The first `batchDims` dimensions of both are walked together. */
    readonly gather: { readonly axis: number; readonly batchDims: number };
  }
}

/** Loops around the chosen rows: x is [batches, outer, limit, inner], indices [batches, count]. */
function layoutOf(node: NodeView<"gather">) {
  const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
  const axis = requireAxis(node, "C3", node.attributes.axis, x.shape.length);
  const batchDims = batchDimsOf(node);
  return {
    axis,
    batchDims,
    batches: elementCount(x.shape.slice(0, batchDims)),
    outer: elementCount(x.shape.slice(batchDims, axis)),
    limit: x.shape[axis] as number,
    inner: elementCount(x.shape.slice(axis + 1)),
    count: elementCount(indices.shape.slice(batchDims)),
  };
}

const batchDimsOf = (node: NodeView<"gather">) => {
  const { batchDims } = node.attributes;
  return batchDims < 0 ? batchDims + inputOf(node, 1).shape.length : batchDims;
};

/**
 * Rows along an axis by index, any type. C1: x and indices, one output. C2: the type stays and has whole bytes; at most
 * eight dimensions. C3: an axis inside the rank, not before the batch dimensions. C4: batch dimensions of x and indices
 * are the same. C5: integer indices; constant ones from 0 and below the axis's size, computed ones are held inside.
 */
export const gather: Operator<"gather"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
    requireData(node, x);
    requireDType(node, "C5", indices, ...INDEX_TYPES);
    const axis = requireAxis(node, "C3", node.attributes.axis, x.shape.length);
    const batchDims = batchDimsOf(node);
    const shared = batchDims >= 0 && batchDims <= Math.min(axis, indices.shape.length);
    constrain(node, "C4", shared && indices.shape.slice(0, batchDims).every((n, d) => n === x.shape[d]), () => ({
      expected: `${batchDims} dimensions that x and indices share, before axis ${axis}`,
      received: `${listText(x.shape)} and ${listText(indices.shape)}`,
    }));
    const shape = replaced(x.shape, axis, 1, ...indices.shape.slice(batchDims));
    requireRank(node, shape);
    const size = x.shape[axis] as number;
    const inside =
      indices.data === undefined ? size > 0 || shape.includes(0) : integersOf(indices).every((i) => i >= 0 && i < size);
    constrain(node, "C5", inside, () => ({
      expected: `indices from 0 to ${size - 1}`,
      received: indices.data === undefined ? "an axis of size 0" : listText(integersOf(indices).slice(0, 20)),
    }));
    return [{ dtype: x.dtype, shape }];
  },
  fold(node) {
    const { batches, outer, limit, inner, count } = layoutOf(node);
    const y = new Uint8Array(byteLength(outputOf(node)));
    const x = inputOf(node, 0);
    const size = BITS[x.dtype] / 8;
    const indices = integersOf(inputOf(node, 1));
    const [all, rows] = [whole([batches, outer, limit, inner]), whole([batches, outer, count, inner])];
    for (let b = 0; b < batches; b++)
      for (let i = 0; i < count; i++) {
        const from = cut(cut(all, 0, b, 1), 2, indices[b * count + i] as number, 1);
        walkBytes({ from, to: cut(cut(rows, 0, b, 1), 2, i, 1), size }, x.data as Uint8Array, y);
      }
    return [y];
  },
  lower(node, to) {
    const { batches, outer, limit, inner, count } = layoutOf(node);
    const bytes = (inner * BITS[inputOf(node, 0).dtype]) / 8;
    if (byteLength(outputOf(node)) === 0) return;
    to.call({
      kernel: "gather",
      params: {
        x: to.input(0),
        y: to.output(0),
        indices: to.input(1),
        indexBytes: BITS[inputOf(node, 1).dtype] / 8,
        batches,
        outer,
        count,
        limit,
        bytes,
      },
    });
  },
};
