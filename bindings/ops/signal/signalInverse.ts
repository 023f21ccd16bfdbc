import { turnTable } from "../../primitives/signal/transform.ts";
import { elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { callTransform, transformed } from "./transforms.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly signalInverse: { readonly length: number };
  }
}

/**
 * Rows of `length/2 + 1` complex numbers as `length` real ones: the inverse of the Fourier transform. C1, C2: see `requireTypes`; int16,
 * int32 or float32. C3: a length from 4 to 65536. C4: a power of two, and rows of `length + 2` numbers.
 */
export const signalInverse: Operator<"signalInverse"> = {
  infer(node) {
    const { dtype, shape, length } = transformed(node);
    constrain(node, "C4", Number.isInteger(Math.log2(length)) && shape.at(-1) === length + 2, () => ({
      expected: `a power of two, and rows of ${length + 2}`,
      received: `${length}, and ${listText(shape)}`,
    }));
    return [{ dtype, shape: [...shape.slice(0, -1), length] }];
  },
  lower(node, to) {
    const { dtype, shape } = inputOf(node, 0);
    const { length } = node.attributes;
    const rows = elementCount(shape.slice(0, -1));
    if (rows === 0) return;
    if (dtype !== "float32") return callTransform(node, to, { rows, depth: length + 2, length, inverse: 1 });
    to.call({
      kernel: "signalInverseF32",
      params: {
        x: to.input(0),
        y: to.output(0),
        rows,
        length,
        turnTable: to.place(turnTable(length)),
      },
    });
  },
};
