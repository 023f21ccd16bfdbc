import { turnTable } from "../../primitives/signal/transform.ts";
import { dimensions, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireDType, requireInputs } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, and the height and width of the transform, a constant. */
    readonly rfft2d: Record<never, never>;
  }
}

/** A transform is no longer than this in either direction. */
const MOST = 4096;

function sizesOf(node: NodeView<"rfft2d">): readonly [number, number] {
  const sizes = requireConstant(node, "C4", inputOf(node, 1));
  const fits = sizes.length === 2 && sizes.every((n) => n >= 1 && n <= MOST && Number.isInteger(Math.log2(n)));
  constrain(node, "C4", fits, () => ({ expected: `powers of two up to ${MOST}`, received: sizes.join(",") }));
  return sizes as unknown as readonly [number, number];
}

/**
 * The Fourier transform of the last two dimensions of real numbers. C1: x and sizes, one output. C2: x float32, the output
 * complex64. C3: at least two dimensions. C4: sizes constant powers of two up to 4096; x is cut or filled up with 0.
 * Source: TFLite's rfft2d.
 */
export const rfft2d: Operator<"rfft2d"> = {
  infer(node) {
    requireInputs(node, 2);
    const { shape } = requireFloat(node);
    requireDType(node, "C2", outputOf(node), "complex64");
    constrain(node, "C3", shape.length >= 2, () => ({ expected: "two dimensions", received: listText(shape) }));
    const [height, width] = sizesOf(node);
    return [{ dtype: "complex64", shape: [...shape.slice(0, -2), height, width / 2 >= 1 ? width / 2 + 1 : 1] }];
  },
  lower(node, to) {
    const { shape } = inputOf(node, 0);
    if (elementCount(outputOf(node).shape) === 0) return;
    const [rows, columns] = dimensions(shape.slice(-2), 2);
    const [height, width] = sizesOf(node);
    to.call({
      kernel: "spectrum",
      params: {
        x: to.input(0),
        y: to.output(0),
        ...to.scratch(Math.max(height, width) * 16),
        images: elementCount(shape.slice(0, -2)),
        rows,
        columns,
        height,
        width,
        widthTable: to.place(turnTable(width)),
        heightTable: to.place(turnTable(height)),
      },
    });
  },
};

function requireFloat(node: NodeView<"rfft2d">) {
  const x = inputOf(node, 0);
  requireDType(node, "C2", x, "float32");
  return x;
}
