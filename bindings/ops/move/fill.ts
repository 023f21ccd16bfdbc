import { byteLength } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireBytes, requireConstant, requireDType } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { fillBytes, fill as fillWith, requireRank, requireTensors } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** shape (constant), value (one element). */
    readonly fill: Record<never, never>;
  }
}

/**
 * One value everywhere, any type. C1: a shape and a value, one output. C2: the type stays and has whole bytes; at most
 * eight dimensions. C3: the shape is a constant of sizes from 0. C4: the value is one element.
 */
export const fill: Operator<"fill"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const value = inputOf(node, 1);
    requireBytes(node, "C2", value);
    requireDType(node, "C2", outputOf(node), value.dtype);
    const shape = requireConstant(node, "C3", inputOf(node, 0));
    constrain(
      node,
      "C3",
      shape.every((n) => n >= 0),
      () => ({
        expected: "sizes from 0",
        received: `[${shape.join(",")}]`,
      }),
    );
    requireRank(node, shape);
    constrain(
      node,
      "C4",
      value.shape.every((n) => n === 1),
      () => ({
        expected: "one value",
        received: `[${value.shape.join(",")}]`,
      }),
    );
    return [{ dtype: value.dtype, shape }];
  },
  fold: (node) => [fillBytes(new Uint8Array(byteLength(outputOf(node))), inputOf(node, 1).data as Uint8Array)],
  lower(_, to) {
    for (const y of to.outputs) fillWith(y, to.inputs[1]?.address ?? 0, to.call);
  },
};
