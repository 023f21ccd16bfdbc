import type { Multiplier } from "../../primitives/requantize/quantization.ts";
import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireAxis,
  requireConstant,
  requireDType,
  requireInputs,
  requireRatio,
} from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, axes (int32 constant). */
    readonly mean: { readonly keepDims: boolean };
  }
}

/** Sums of int8 differences over this many elements fit in int32. */
const MAX_COUNT = 2 ** 23;

function axesOf(node: NodeView<"mean">): ReadonlySet<number> {
  const rank = inputOf(node, 0).shape.length;
  return new Set(requireConstant(node, "C4", inputOf(node, 1)).map((axis) => requireAxis(node, "C5", axis, rank)));
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

/** The multiplier with 1/count worked in, as TFLite's QuantizedMeanOrSum readapts it. */
export function meanMultiplier(real: number, count: number): Multiplier {
  const { multiplier, shift } = quantizeMultiplier(real);
  const extra = Math.min(31 - Math.clz32(count), 31 + shift);
  return { multiplier: Number((BigInt(multiplier) << BigInt(extra)) / BigInt(count)), shift: shift - extra };
}

/**
 * Mean over axes, int8. C1: x and axes, one output. C2: x and output int8. C3: each with one scale and zero point, in
 * a ratio that fits. C4: axes a constant. C5: axes inside the rank. C6: from 1 to 2^23 elements in each mean. C7: the
 * axes form at most two runs of neighbours. Source: TFLite's reference_ops::QuantizedMeanOrSum.
 */
export const mean: Operator<"mean"> = {
  infer(node) {
    requireInputs(node, 2);
    const x = inputOf(node, 0);
    const y = outputOf(node);
    requireDType(node, "C2", x, "int8");
    requireDType(node, "C2", y, "int8");
    requireRatio(node, "C3", requireAffine(node, "C3", x).scale / requireAffine(node, "C3", y).scale);
    const axes = axesOf(node);
    const count = x.shape.reduce((product, size, axis) => (axes.has(axis) ? product * size : product), 1);
    constrain(
      node,
      "C6",
      count >= 1 && count <= MAX_COUNT,
      () => ({ expected: `from 1 to ${MAX_COUNT} elements in each mean`, received: String(count) }),
      "UNSUPPORTED",
    );
    constrain(
      node,
      "C7",
      alternate(x.shape, axes).length <= 5,
      () => ({ expected: "at most two runs of neighbouring axes", received: `axes ${[...axes].join(", ")}` }),
      "UNSUPPORTED",
    );
    const shape = node.attributes.keepDims
      ? x.shape.map((size, axis) => (axes.has(axis) ? 1 : size))
      : x.shape.filter((_, axis) => !axes.has(axis));
    return [{ dtype: "int8", shape }];
  },
  lower(node, to) {
    const x = inputOf(node, 0);
    const [input, output] = [affineOf(x), affineOf(outputOf(node))];
    const [outer = 1, reduce = 1, middle = 1, reduce2 = 1, inner = 1] = rowsOf(alternate(x.shape, axesOf(node)));
    to.call({
      kernel: "mean",
      params: {
        ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0 },
        ...{ outer, reduce, middle, reduce2, inner, xZeroPoint: input.zeroPoint, yZeroPoint: output.zeroPoint },
        ...meanMultiplier(input.scale / output.scale, reduce * reduce2),
      },
    });
  },
};

/** [outer, reduce, inner] as [outer, reduce, 1, 1, inner]. */
function rowsOf(sizes: readonly number[]): readonly number[] {
  return sizes.length > 3 ? sizes : [...sizes.slice(0, 2), 1, 1, sizes[2] as number];
}
