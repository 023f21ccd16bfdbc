import { turnTable } from "../../primitives/signal/transform.ts";
import { elementCount, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { callTransform, transformed } from "./transforms.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly signalTransform: { readonly length: number };
  }
}

/**
 * The Fourier transform of real rows, filled up with 0 to a length, as `length/2 + 1` complex numbers, of int16 and int32 scaled down by
 * the length. C1, C2: see `requireTypes`; int16, int32 or float32. C3: a length from 4 to 65536. C4: a power of two, no shorter than the rows.
 */
export const signalTransform: Operator<"signalTransform"> = {
  infer(node) {
    const { dtype, shape, length } = transformed(node);
    const depth = shape.at(-1) ?? 0;
    constrain(node, "C4", Number.isInteger(Math.log2(length)) && depth <= length && shape.length > 0, () => ({
      expected: `a power of two no less than ${depth}`,
      received: String(length),
    }));
    return [{ dtype, shape: [...shape.slice(0, -1), length + 2] }];
  },
  lower(node, to) {
    const { dtype, shape } = inputOf(node, 0);
    const { length } = node.attributes;
    if (elementCount(outputOf(node).shape) === 0) return;
    if (dtype === "float32") return lowerReal(node, to);
    callTransform(node, to, {
      rows: elementCount(shape.slice(0, -1)),
      depth: sizeOf({ shape }, -1),
      length,
      inverse: 0,
    });
  },
};

/** One row of RFFT2D's kernel. */
function lowerReal(node: NodeView<"signalTransform">, to: Lowering): void {
  const { shape } = inputOf(node, 0);
  const { length } = node.attributes;
  to.call({
    kernel: "spectrum",
    params: {
      x: to.input(0),
      y: to.output(0),
      ...to.scratch(16),
      images: elementCount(shape.slice(0, -1)),
      rows: 1,
      columns: sizeOf({ shape }, -1),
      height: 1,
      width: length,
      widthTable: to.place(turnTable(length)),
      heightTable: to.place(turnTable(1)),
    },
  });
}
