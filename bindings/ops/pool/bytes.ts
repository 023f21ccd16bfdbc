/** Reductions of int8 by the kernels of means and of pools, which take sixteen neighbours at a time. */
import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { dimensions, elementCount } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { Lowering, NodeView } from "../types.ts";
import { axesOf, isScaled, lowerReduction, meanMultiplier, reducedCount } from "./reducing.ts";

type Kind = "mean" | "sum" | "reduceMax";

/** Fewer neighbours are loaded one by one near the end of the input. */
const NEIGHBOURS = 4;

/**
 * A reduction of which int8 over at most two runs of neighbouring axes (the greatest: one) has a kernel of its own. The sum is
 * the mean but for its factor.
 */
export function lowerBytes<K extends Kind>(kind: K, node: NodeView<K>, to: Lowering): void {
  const { dtype, shape } = inputOf(node, 0);
  const axes = axesOf(node);
  const sizes = alternate(shape, axes);
  const [outer, , inner] = sizes as [number, number, number];
  const has = dtype === "int8" && reducedCount(shape, axes) > 0 && elementCount(outputOf(node).shape) > 0;
  if (has && kind === "reduceMax" && sizes.length === 3 && inner >= NEIGHBOURS)
    callMaxPool(to, outer, sizes[1] as number, inner);
  else if (has && kind !== "reduceMax" && isScaled(node) && sizes.length <= 5) callMean(kind, node, to, rowsOf(sizes));
  else lowerReduction(kind, node, to);
}

function callMean<K extends Kind>(kind: K, node: NodeView<K>, to: Lowering, sizes: readonly number[]): void {
  const isOnnx = "rounding" in node.attributes && node.attributes.rounding !== undefined;
  const [x, y] = [affineOf(inputOf(node, 0)), affineOf(outputOf(node))];
  const [outer, reduce, middle, reduce2, inner] = dimensions(sizes, 5);
  const count = reduce * reduce2;
  const ratio = x.scale / y.scale;
  const own = kind === "mean" ? meanMultiplier(ratio, count) : quantizeMultiplier(ratio);
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
      xZeroPoint: x.zeroPoint,
      yZeroPoint: y.zeroPoint,
      ...(isOnnx ? onnxMultiplier(x.scale, y.scale, count) : own),
    },
    note: [...(kind === "sum" ? ["reduce scaledSum"] : []), ...(isOnnx ? ["mean, onnx"] : [])].join(", "),
  });
}

/** One window over all that is reduced. */
function callMaxPool(to: Lowering, outer: number, reduce: number, inner: number): void {
  to.call({
    kernel: "maxPool",
    params: {
      x: to.input(0),
      y: to.output(0),
      batch: outer,
      inH: 1,
      inW: reduce,
      channels: inner,
      outH: 1,
      outW: 1,
      kH: 1,
      kW: reduce,
      strideH: 1,
      strideW: 1,
      padTop: 0,
      padLeft: 0,
      scratch: 0,
      scratchStride: 0,
      lo: -128,
      hi: 127,
    },
    note: "reduce max",
  });
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

/** The bits of f32(xs / f32(ys·count)), which shift 64 marks. */
function onnxMultiplier(xs: number, ys: number, count: number) {
  const { fround } = Math;
  const factor = Float32Array.of(fround(xs) / fround(fround(ys) * fround(count)));
  return { multiplier: new Int32Array(factor.buffer)[0] as number, shift: 64 };
}

/** [outer, reduce, inner] as [outer, 1, 1, reduce, inner]: the kernel's inner loop is over the last but one. */
function rowsOf(sizes: readonly number[]): readonly number[] {
  return sizes.length > 3 ? sizes : [sizes[0] as number, 1, 1, ...sizes.slice(1)];
}
