import { words } from "../../primitives/move/walk.ts";
import { BITS, elementCount } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireBytes, requireDType } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireOpen, requireRank } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly where: Record<never, never>;
  }
}

/**
 * The places of what is not 0, `[n, rank]` int64; n is open, at most all. C1: x, one output. C2: x of whole bytes, at most
 * eight dimensions and at least one; int64 places.
 */
export const where: Operator<"where"> = {
  infer(node) {
    requireOpen(node, 1, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", x, "bool", "float32", "int32", "uint32", "int64", "int8", "uint8", "int16");
    requireBytes(node, "C2", x);
    requireRank(node, x.shape);
    constrain(node, "C2", x.shape.length > 0, () => ({ expected: "one dimension or more", received: "[]" }));
    const dtype = requireDType(node, "C2", outputOf(node), "int64");
    return [{ dtype, shape: [elementCount(x.shape), x.shape.length], open: "length" }];
  },
  lower(node, to) {
    const { shape, dtype } = inputOf(node, 0);
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
        room: 0,
        isColumns: 0,
      },
    });
  },
};
