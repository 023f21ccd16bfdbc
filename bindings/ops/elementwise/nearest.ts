/** int8 sums and products by onnxruntime's rule. */
import { fusedSum, plainOfFloats, plainOfFused } from "../../primitives/elementwise/nearest.ts";
import { type Affine, RANGE, roundedToEven } from "../../primitives/requantize/quantization.ts";
import type { Tensor } from "../../tensor.ts";
import { type Constrained, inputOf, outputOf } from "../constraints.ts";
import { roundingOf, within } from "../product/weights.ts";
import type { Lowering } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { asLongRows } from "./longRows.ts";
import { pairFields, placed } from "./pairs.ts";

const { fround } = Math;

/** How far the file's values are above the kernel's: 128 for what was uint8. */
const shiftOf = ({ unsigned }: Tensor): number => (unsigned ? 128 : 0);

/** Scale and zero point as the file has them. */
const rawOf = (tensor: Tensor): Affine => {
  const { scale, zeroPoint } = affineOf(tensor);
  return { scale, zeroPoint: zeroPoint + shiftOf(tensor) };
};

/** What sums and products fill alike. */
function fieldsOf(node: Constrained, to: Lowering) {
  const { a, b, y } = asLongRows(to, placed(to), 1);
  const output = outputOf(node);
  return { ...pairFields(a, b, y, 1), ...within(node, affineOf(output), RANGE.int8), yZeroPoint: -shiftOf(output) };
}

/** Both operands as floats, divided by the output's scale. */
function floatsOf(node: Constrained, to: Lowering, sign: 1 | -1) {
  const [a, b, y] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)].map(affineOf) as [Affine, Affine, Affine];
  return {
    ...fieldsOf(node, to),
    aZeroPoint: a.zeroPoint,
    bZeroPoint: b.zeroPoint,
    yZeroPoint: y.zeroPoint,
    aScale: a.scale,
    bScale: sign * b.scale,
    yScale: y.scale,
    offset: 0,
    form: 2,
  };
}

/** a + b, or a − b with sign −1. */
export function lowerNearestSum(node: Constrained, to: Lowering, sign: 1 | -1): void {
  const name = sign < 0 ? "add, subtracting" : "add";
  const isFloats = roundingOf(node)?.rule === "onnx";
  const tensors = [inputOf(node, 0), inputOf(node, 1), outputOf(node)] as const;
  const [a, b, y] = tensors.map(rawOf) as [Affine, Affine, Affine];
  const [aShift, bShift] = tensors.map(shiftOf) as [number, number];
  const fused = fusedSum(a, b, y, sign);
  const plain = isFloats
    ? plainOfFloats([a, b, y], sign, aShift - 128, bShift - 128)
    : plainOfFused(fused, aShift - 128, bShift - 128);
  const note = `${name}, ${isFloats ? "onnx" : "qlinear"}`;
  if (plain === undefined && isFloats) return to.call({ kernel: "addNearest", params: floatsOf(node, to, sign), note });
  to.call({
    kernel: "addNearest",
    params: {
      ...fieldsOf(node, to),
      aZeroPoint: -aShift,
      bZeroPoint: -bShift,
      ...(plain ?? fused),
      yScale: 1,
      form: plain ? 1 : 0,
    },
    note: plain ? `${note} without division` : `${note} in float64`,
  });
}

const productFactor = (a: Affine, b: Affine, y: Affine): number =>
  fround(fround(fround(a.scale) * fround(b.scale)) / fround(y.scale));

/** a · b; qlinear: f32(f32(sa·sb) / sy) times the product of the differences to the zero points, plus the zero point. */
export function lowerNearestProduct(node: Constrained, to: Lowering): void {
  if (roundingOf(node)?.rule === "onnx")
    return to.call({ kernel: "mulNearest", params: floatsOf(node, to, 1), note: "mul, onnx" });
  const [a, b, y] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)].map(rawOf) as [Affine, Affine, Affine];
  to.call({
    kernel: "mulNearest",
    params: {
      ...fieldsOf(node, to),
      aZeroPoint: affineOf(inputOf(node, 0)).zeroPoint,
      bZeroPoint: affineOf(inputOf(node, 1)).zeroPoint,
      aScale: productFactor(a, b, y),
      bScale: 0,
      yScale: 1,
      offset: y.zeroPoint,
      form: 0,
    },
    note: "mul, qlinear",
  });
}

type OfTwo = (a: number, b: number) => number;

/** What both kernels do with a value: rounded half to even, moved and clamped. */
function rounded(node: Constrained, zeroPoint: number, value: OfTwo): OfTwo {
  const { lo, hi } = within(node, affineOf(outputOf(node)), RANGE.int8);
  const near = (x: number) => roundedToEven(Math.min(Math.max(x, -1024), 1024)) + zeroPoint;
  return (a, b) => Math.min(Math.max(near(value(a, b)), lo), hi);
}

/** What the kernels compute of two numbers by the rule `onnx`: as floats, which `join` makes one. */
function ofFloats(node: Constrained, join: OfTwo): OfTwo {
  const [a, b, y] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)].map(affineOf) as [Affine, Affine, Affine];
  const real = (q: number, { scale, zeroPoint }: Affine) => fround((q - zeroPoint) * fround(scale));
  return rounded(node, y.zeroPoint, (u, v) => fround(fround(join(real(u, a), real(v, b))) / fround(y.scale)));
}

/** Beyond int32, and what is no number, are its least: what x64 makes of them. */
const asInt32 = (x: number): number => (Math.abs(x) < 2 ** 31 ? x : -(2 ** 31));

/** `lowerNearestSum` of two numbers. */
export function nearestSum(node: Constrained, sign: 1 | -1): OfTwo {
  if (roundingOf(node)?.rule === "onnx") return ofFloats(node, (u, v) => u + sign * v);
  const [p, q, r] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)] as const;
  const { aScale, bScale, offset } = fusedSum(rawOf(p), rawOf(q), rawOf(r), sign);
  const value: OfTwo = (u, v) =>
    asInt32(fround((u + shiftOf(p)) * aScale + fround((v + shiftOf(q)) * bScale + offset)));
  return rounded(node, -shiftOf(r), value);
}

/** `lowerNearestProduct` of two numbers. */
export function nearestProduct(node: Constrained): OfTwo {
  if (roundingOf(node)?.rule === "onnx") return ofFloats(node, (u, v) => u * v);
  const [p, q] = [affineOf(inputOf(node, 0)), affineOf(inputOf(node, 1))];
  const y = rawOf(outputOf(node));
  const factor = productFactor(p, q, y);
  const value: OfTwo = (u, v) => asInt32(fround(fround((u - p.zeroPoint) * (v - q.zeroPoint) * factor) + y.zeroPoint));
  return rounded(node, -shiftOf(outputOf(node)), value);
}
