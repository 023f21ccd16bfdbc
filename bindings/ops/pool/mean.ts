import type { Rounding } from "../../graph.ts";
import { dimensions, elementCount } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { Operator } from "../types.ts";
import { axesOf, isScaled, lowerReduction, meanMultiplier, reducedCount, reduceOperator } from "./reducing.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly mean: { readonly keepDims: boolean; readonly rounding?: Rounding };
  }
}

/** Sizes as [kept, reduced, kept, reduced, kept]; longer where more than two runs of axes are reduced. */
function alternate(shape: readonly number[], axes: ReadonlySet<number>): number[] {
  const sizes = [1];
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    if ((sizes.length % 2 === 0) !== axes.has(axis)) sizes.push(1);
    sizes[sizes.length - 1] = (sizes.at(-1) as number) * size;
  }
  while (sizes.length < 3 || sizes.length % 2 === 0) sizes.push(1);
  return sizes;
}

/** Mean over axes. C1–C6: see `reduceOperator`. Scaled int8 over at most two runs of neighbours has a kernel of its own. */
export const mean: Operator<"mean"> = {
  ...reduceOperator("mean"),
  lower(node, to) {
    const x = inputOf(node, 0);
    const y = outputOf(node);
    const axes = axesOf(node);
    const sizes = alternate(x.shape, axes);
    const few = x.dtype === "int8" && isScaled(node) && sizes.length <= 5;
    if (!few || reducedCount(x.shape, axes) === 0 || elementCount(y.shape) === 0) {
      lowerReduction("mean", node, to);
      return;
    }
    const isOnnx = node.attributes.rounding !== undefined;
    const [input, output] = [affineOf(x), affineOf(y)];
    const [outer, reduce, middle, reduce2, inner] = dimensions(rowsOf(sizes), 5);
    to.call({
      kernel: "mean",
      params: {
        x: to.input(0),
        y: to.output(0),
        outer,
        reduce,
        middle,
        reduce2,
        inner,
        xZeroPoint: input.zeroPoint,
        yZeroPoint: output.zeroPoint,
        ...(isOnnx
          ? onnxMultiplier(input.scale, output.scale, reduce * reduce2)
          : meanMultiplier(input.scale / output.scale, reduce * reduce2)),
      },
      note: isOnnx ? "mean, onnx" : "",
    });
  },
};

/** The bits of f32(xs / f32(ys·count)), which shift 64 marks. */
function onnxMultiplier(xs: number, ys: number, count: number) {
  const { fround } = Math;
  const factor = Float32Array.of(fround(xs) / fround(fround(ys) * fround(count)));
  return { multiplier: new Int32Array(factor.buffer)[0] as number, shift: 64 };
}

/** [outer, reduce, inner] as [outer, reduce, 1, 1, inner]. */
function rowsOf(sizes: readonly number[]): readonly number[] {
  return sizes.length > 3 ? sizes : [...sizes.slice(0, 2), 1, 1, sizes[2] as number];
}
