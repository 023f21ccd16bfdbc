import { broadcastShape } from "../../primitives/broadcast.ts";
import { BITS, listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, requireConstant, requireDType, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { bytesOfNumbers } from "../values.ts";
import { requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly broadcastArgs: Record<never, never>;
  }
}

/**
 * The shape that two shapes broadcast to. C1: two shapes, one output. C2: both int32 or both int64, in one dimension. C3:
 * constant ones broadcast.
 */
export const broadcastArgs: Operator<"broadcastArgs"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
    const dtype = requireDType(node, "C2", a, "int32", "int64");
    requireDType(node, "C2", b, dtype);
    requireData(node, a);
    constrain(node, "C2", a.shape.length === 1 && b.shape.length === 1, () => ({
      expected: "two lists of sizes",
      received: `${listText(a.shape)} and ${listText(b.shape)}`,
    }));
    if (a.data !== undefined && b.data !== undefined) {
      const [p, q] = [requireConstant(node, "C3", a), requireConstant(node, "C3", b)];
      constrain(node, "C3", broadcastShape(p, q) !== undefined, () => ({
        expected: "shapes that broadcast",
        received: `${listText(p)} and ${listText(q)}`,
      }));
    }
    return [{ dtype, shape: [Math.max(a.shape[0] as number, b.shape[0] as number)] }];
  },
  fold(node) {
    const [p, q] = [0, 1].map((i) => requireConstant(node, "C3", inputOf(node, i))) as [
      readonly number[],
      readonly number[],
    ];
    return [bytesOfNumbers(inputOf(node, 0).dtype, broadcastShape(p, q) as readonly number[])];
  },
  lower(node, to) {
    const [a, b] = [to.input(0), to.input(1)];
    const [aCount, bCount] = [sizeOf(inputOf(node, 0), 0), sizeOf(inputOf(node, 1), 0)];
    if (aCount + bCount === 0) return;
    const bytes = BITS[inputOf(node, 0).dtype] / 8;
    to.call({ kernel: "broadcastArgs", params: { a, b, y: to.output(0), aCount, bCount, bytes } });
  },
};
