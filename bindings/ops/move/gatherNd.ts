import { denseStrides } from "../../primitives/broadcast.ts";
import { BITS, byteLength, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { INDEX_TYPES, integersOf } from "../values.ts";
import { requireData, requireRank } from "./moving.ts";
import { placesOf } from "./places.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, indices `[…, depth]`. */
    readonly gatherNd: Record<never, never>;
  }
}

/** The last dimension of indices names this many dimensions of x. */
const depthOf = (node: NodeView<"gatherNd">) => inputOf(node, 1).shape.at(-1) ?? 0;

/**
 * Parts by tuples of indices, any type. C1: x and indices, one output. C2: the type stays and has whole bytes; at most
 * eight dimensions. C3: integer indices of one dimension or more, whose last is at most x's rank. C4: constant indices
 * inside x; computed ones are held inside.
 */
export const gatherNd: Operator<"gatherNd"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
    requireData(node, x);
    requireDType(node, "C3", indices, ...INDEX_TYPES);
    const depth = depthOf(node);
    constrain(node, "C3", indices.shape.length > 0 && depth <= x.shape.length, () => ({
      expected: `indices […, at most ${x.shape.length}]`,
      received: listText(indices.shape),
    }));
    const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
    requireRank(node, shape);
    const inside =
      indices.data === undefined
        ? x.shape.slice(0, depth).every((n) => n > 0) || shape.includes(0)
        : integersOf(indices).every((index, i) => index >= 0 && index < (x.shape[i % depth] as number));
    constrain(node, "C4", inside, () => ({
      expected: `indices inside ${listText(x.shape)}`,
      received: indices.data === undefined ? "an empty tensor" : listText(integersOf(indices).slice(0, 20)),
    }));
    return [{ dtype: x.dtype, shape }];
  },
  fold(node) {
    const y = new Uint8Array(byteLength(outputOf(node)));
    const depth = depthOf(node);
    const x = inputOf(node, 0);
    const bytes = (elementCount(x.shape.slice(depth)) * BITS[x.dtype]) / 8;
    const strides = denseStrides(x.shape);
    const indices = integersOf(inputOf(node, 1));
    const rows = bytes === 0 ? 0 : y.length / bytes;
    for (let row = 0; row < rows; row++) {
      let at = 0;
      for (let d = 0; d < depth; d++) at += (indices[row * depth + d] as number) * (strides[d] as number);
      at = (at * BITS[x.dtype]) / 8;
      y.set((x.data as Uint8Array).subarray(at, at + bytes), row * bytes);
    }
    return [y];
  },
  lower(node, to) {
    const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
    if (byteLength(outputOf(node)) === 0) return;
    to.call({
      kernel: "gatherNd",
      params: { x: to.input(0), y: to.output(0), indices: to.input(1), ...placesOf(to, indices, x) },
    });
  },
};
