import { listText } from "../../tensor.ts";
import { constrain, inputOf, requireAxis, requireAxisInput, requireConstant, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireData } from "./moving.ts";
import { movesAlong } from "./parts.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** axis (constant), x; as many outputs as `count`. */
    readonly split: { readonly count: number };
  }
}

/**
 * Equal parts along an axis, any type. C1: axis and x; `count` outputs. C2: the type stays and has whole bytes; at most
 * eight dimensions. C3: one constant axis inside the rank. C4: the axis divides into so many.
 */
export const split: Operator<"split"> = {
  infer(node) {
    requireTensors(node, 2, node.attributes.count || node.outputs.length);
    const x = inputOf(node, 1);
    requireData(node, x);
    const axis = requireAxisInput(node, "C3", 0, x.shape.length);
    const count = node.outputs.length;
    const size = x.shape[axis] as number;
    constrain(node, "C4", size % count === 0, () => ({
      expected: `a size along axis ${axis} that ${count} divides`,
      received: listText(x.shape),
    }));
    return node.outputs.map(() => ({ dtype: x.dtype, shape: x.shape.map((n, d) => (d === axis ? n / count : n)) }));
  },
  ...movesAlong<"split">(1, (node) =>
    requireAxis(node, "C3", requireConstant(node, "C3", inputOf(node, 0))[0] as number, inputOf(node, 1).shape.length),
  ),
};
