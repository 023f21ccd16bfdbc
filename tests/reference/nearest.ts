/** onnxruntime's rules of rounding, as its measured descriptions say, one value at a time. */
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";

const { fround } = Math;

/** Half to even, by the remainder. */
export function rint(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest < 0.5 || (rest === 0.5 && Math.abs(down) % 2 === 0)) return down;
  return down + 1;
}

const int8 = (q: number): number => Math.min(Math.max(q, -128), 127);

/** QLinearConv's and QLinearMatMul's: sums times f32(f32(xs·ws) / ys). */
export function scaledSum(acc: number, xs: number, ws: number, y: Affine): number {
  const scale = fround(fround(fround(xs) * fround(ws)) / fround(y.scale));
  return int8(rint(fround(fround(acc) * scale)) + y.zeroPoint);
}

/** DequantizeLinear of both, the operator, QuantizeLinear. */
export function betweenFloats(
  kind: "add" | "sub" | "mul",
  a: number,
  b: number,
  p: Affine,
  q: Affine,
  y: Affine,
): number {
  const u = fround(fround(a - p.zeroPoint) * fround(p.scale));
  const v = fround(fround(b - q.zeroPoint) * fround(q.scale));
  const value = fround(kind === "add" ? u + v : kind === "sub" ? u - v : u * v);
  return int8(rint(fround(value / fround(y.scale))) + y.zeroPoint);
}

/** QLinearAdd's and QLinearMul's, on the values as they are in the file: `shift` above the int8 ones. */
export function qlinear(
  kind: "add" | "mul",
  a: number,
  b: number,
  p: Affine,
  q: Affine,
  y: Affine,
  shift: number,
): number {
  const [az, bz, yz] = [p.zeroPoint + shift, q.zeroPoint + shift, y.zeroPoint + shift];
  const [lo, hi] = [shift - 128, shift + 127];
  let value: number;
  if (kind === "mul") {
    const factor = fround(fround(fround(p.scale) * fround(q.scale)) / fround(y.scale));
    value = fround(fround((a - p.zeroPoint) * (b - q.zeroPoint) * factor) + yz);
  } else {
    const [ra, rb] = [fround(fround(p.scale) / fround(y.scale)), fround(fround(q.scale) / fround(y.scale))];
    const k = fround(yz - fround(ra * az + fround(rb * bz)));
    value = fround((a + shift) * ra + fround((b + shift) * rb + k));
  }
  return Math.min(Math.max(rint(value), lo), hi) - shift;
}
