import { ELEMENT, type Element } from "../../primitives/elementwise/element.ts";
import { elementCount } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { writeFloats } from "./integers.ts";
import { ends } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly bucketize: { readonly boundaries: readonly number[] };
  }
}

/**
 * How many of the boundaries are at most x. C1: one input, one output. C2: x float32, float64, int32 or int64, the output
 * int32. C3: boundaries in ascending order. Source: TFLite's Bucketize.
 */
export const bucketize: Operator<"bucketize"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", x, "float32", "float64", "int32", "int64");
    const dtype = requireDType(node, "C2", outputOf(node), "int32");
    const { boundaries } = node.attributes;
    const ascending = boundaries.every((bound, i) => i === 0 || bound >= (boundaries[i - 1] as number));
    constrain(node, "C3", ascending, () => ({ expected: "ascending boundaries", received: boundaries.join(", ") }));
    return [{ dtype, shape: x.shape }];
  },
  lower(node, to) {
    const [x, y] = ends(to);
    const { boundaries } = node.attributes;
    to.call({
      kernel: "bucketize",
      params: {
        x: x.address,
        y: y.address,
        count: elementCount(y.shape),
        from: ELEMENT[x.dtype as Element],
        to: ELEMENT.int32,
        table: to.place(writeFloats(boundaries)),
        bounds: boundaries.length,
      },
    });
  },
};
