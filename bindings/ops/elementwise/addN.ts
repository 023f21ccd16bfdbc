import { listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator, Placed } from "../types.ts";
import { callPairsF32, callPairsInt } from "./pairs.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly addN: Record<never, never>;
  }
}

/**
 * The sum of any number of tensors, from the first on. C1: at least one input. C2: all float32 or all int32. C3: all of
 * one shape.
 */
export const addN: Operator<"addN"> = {
  infer(node) {
    requireInputs(node, Math.max(node.inputs.length, 1));
    const { shape } = inputOf(node, 0);
    const dtype = requireDType(node, "C2", inputOf(node, 0), "float32", "int32");
    for (const i of node.inputs.keys()) {
      const { shape: other } = inputOf(node, i);
      requireDType(node, "C2", inputOf(node, i), dtype);
      constrain(node, "C3", other.join() === shape.join(), () => ({
        expected: `all of shape ${listText(shape)}`,
        received: listText(other),
      }));
    }
    requireDType(node, "C2", outputOf(node), dtype);
    return [{ dtype, shape }];
  },
  lower(_, to) {
    const [first, ...others] = to.inputs as readonly Placed[];
    const y = to.outputs[0] as Placed;
    let a = first as Placed;
    if (others.length === 0) callPairsInt(to, "or", "int32", { a, b: a, y });
    for (const b of others) {
      if (y.dtype === "float32") callPairsF32(to, "add", { a, b, y });
      else callPairsInt(to, "add", "int32", { a, b, y });
      a = y;
    }
  },
};
