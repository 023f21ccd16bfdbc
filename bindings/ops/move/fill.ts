import { BITS, byteLength, listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireBytes, requireConstant, requireDType } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { fillBytes, fill as fillWith, OPEN_LENGTH, requireOpen, requireRank } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** shape (constant), value (one element). */
    readonly fill: Record<never, never>;
  }
}

/**
 * One value everywhere, any type. C1: a shape and a value, one output. C2: the type stays and has whole bytes; at most
 * eight dimensions. C3: sizes from 0; where they are computed the length is open, at most 65,536. C4: the value is one element.
 */
export const fill: Operator<"fill"> = {
  infer(node) {
    requireOpen(node, 2, 1);
    const value = inputOf(node, 1);
    requireBytes(node, "C2", value);
    requireDType(node, "C2", outputOf(node), value.dtype);
    const single = value.shape.every((size) => size === 1);
    constrain(node, "C4", single, () => ({ expected: "one value", received: listText(value.shape) }));
    const sizes = inputOf(node, 0);
    if (sizes.data === undefined) {
      requireDType(node, "C3", sizes, "int32", "int64");
      constrain(node, "C3", sizes.shape.length === 1 && sizeOf(sizes, 0) <= 8, () => ({
        expected: "a list of at most 8 sizes",
        received: listText(sizes.shape),
      }));
      const rank = sizeOf(sizes, 0);
      const bound = [OPEN_LENGTH, ...new Array<number>(Math.max(rank - 1, 0)).fill(1)];
      return rank === 0 ? [{ dtype: value.dtype, shape: [] }] : [{ dtype: value.dtype, shape: bound, open: "length" }];
    }
    const shape = requireConstant(node, "C3", sizes);
    constrain(
      node,
      "C3",
      shape.every((n) => n >= 0),
      () => ({
        expected: "sizes from 0",
        received: listText(shape),
      }),
    );
    requireRank(node, shape);
    return [{ dtype: value.dtype, shape }];
  },
  fold: (node) => [fillBytes(new Uint8Array(byteLength(outputOf(node))), inputOf(node, 1).data as Uint8Array)],
  lower(node, to) {
    const [y, length] = to.outputs;
    if (y !== undefined && length !== undefined) {
      const sizes = inputOf(node, 0);
      const list = { sizes: to.input(0), sizeBytes: BITS[sizes.dtype] / 8, rank: sizeOf(sizes, 0) };
      const room = { y: y.address, lengthAt: length.address, size: BITS[y.dtype] / 8, bound: OPEN_LENGTH };
      to.call({ kernel: "fillOpen", params: { ...list, ...room, value: to.input(1) } });
      return;
    }
    for (const y of to.outputs) fillWith(y, to.input(1), to.call);
  },
};
