import { ELEMENT, type Element } from "../../primitives/elementwise/element.ts";
import { BITS, elementCount, listText, type Tensor } from "../../tensor.ts";
import { constrain, inputOf, requireDType } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireOpen } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly unique: Record<never, never>;
  }
}

/** Work grows with the square of the elements. */
const MOST = 1 << 16;

/**
 * The values of x, each once, in the order in which they first stand; and for each of x which one it is. The number of
 * values is open, at most all. C1: x, two outputs. C2: a vector of at most 65,536 whole numbers or float32; places int32 or
 * int64.
 */
export const unique: Operator<"unique"> = {
  infer(node) {
    requireOpen(node, 1, 2);
    const x = inputOf(node, 0);
    const dtype = requireDType(node, "C2", x, "int8", "uint8", "int16", "int32", "int64", "float32");
    constrain(node, "C2", x.shape.length === 1 && elementCount(x.shape) <= MOST, () => ({
      expected: `a vector of at most ${MOST}`,
      received: listText(x.shape),
    }));
    const places = requireDType(node, "C2", node.outputs[1] as Tensor, "int32", "int64");
    return [
      { dtype, shape: x.shape, open: "rows" },
      { dtype: places, shape: x.shape },
    ];
  },
  lower(node, to) {
    const x = inputOf(node, 0);
    to.call({
      kernel: "unique",
      params: {
        x: to.input(0),
        y: to.output(0),
        places: to.output(1),
        lengthAt: to.output(2),
        count: elementCount(x.shape),
        size: BITS[x.dtype] / 8,
        type: ELEMENT[x.dtype as Element],
        placeBytes: BITS[(node.outputs[1] as Tensor).dtype] / 8,
      },
    });
  },
};
