/** Reductions over axes of every type, element by element in the order of memory, as TensorFlow Lite's references do. */
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";
import { broadcastIndex, indices } from "./binary.ts";
import * as fp from "./fixedpoint.ts";

export type Numbers = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array | BigInt64Array;

/** Groups of the elements that come together, in their order. */
export function groupsOf(x: Numbers, shape: readonly number[], axes: readonly number[]): (number | bigint)[][] {
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const groups = Array.from({ length: kept.reduce((n, size) => n * size, 1) }, (): (number | bigint)[] => []);
  let i = 0;
  for (const index of indices(shape)) groups[broadcastIndex(kept, index)]?.push(x[i++] as number | bigint);
  return groups;
}

const BITS = { int8: 8, uint8: 8, bool: 8, int16: 16, int32: 32, int64: 64 } as const;
export type Whole = keyof typeof BITS;

/** A reduction of whole numbers that wraps; the mean is rounded towards zero and 0 of nothing. */
export function reduceWhole(kind: string, type: Whole, group: readonly (number | bigint)[]): bigint {
  const values = group.map(BigInt);
  const bits = BITS[type];
  const wrap = (value: bigint) => (type === "uint8" ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value));
  const [least, most] = type === "uint8" ? [0n, 255n] : [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n];
  switch (kind) {
    case "sum":
      return wrap(values.reduce((a, b) => a + b, 0n));
    case "mean":
      return values.length === 0 ? 0n : wrap(values.reduce((a, b) => a + b, 0n) / BigInt(values.length));
    case "reduceProd":
      return values.reduce((a, b) => wrap(a * b), 1n);
    case "reduceMax":
    case "reduceAny":
      return values.reduce((a, b) => (b > a ? b : a), least);
    default:
      return values.reduce((a, b) => (b < a ? b : a), most);
  }
}

/** A reduction of float32, every step rounded. */
export function reduceFloat(kind: string, values: readonly number[]): number {
  const sum = values.reduce((a, b) => Math.fround(a + b), 0);
  if (kind === "sum") return sum;
  if (kind === "mean") return Math.fround(sum / values.length);
  if (kind === "reduceProd") return values.reduce((a, b) => Math.fround(a * b), 1);
  return kind === "reduceMax" ? Math.max(-Infinity, ...values) : Math.min(Infinity, ...values);
}

/** A reduction of quantized numbers of 8 or 16 bits. */
export function reduceScaled(kind: string, values: readonly number[], bits: number, p: Affine, q: Affine): number {
  if (kind === "reduceMax") return Math.max(...values);
  if (kind === "reduceMin") return Math.min(...values);
  const clamp = (value: number) => Math.min(Math.max(value, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1);
  const count = values.length;
  if (kind === "reduceProd") {
    const { multiplier, shift } = fp.quantizeMultiplier(p.scale / q.scale ** (1 / count));
    const rescale = (value: bigint) => rescaleWide(value, multiplier, shift);
    const [first = 0, ...rest] = values.map((value) => value - p.zeroPoint);
    const product = rest.reduce((a, b) => rescale(BigInt(a) * BigInt(b)), first);
    return clamp(rescale(BigInt(product)) + q.zeroPoint);
  }
  let { multiplier, shift } = fp.quantizeMultiplier(p.scale / q.scale);
  if (kind === "mean") {
    const extra = Math.min(Math.floor(Math.log2(count)), 32, 31 + shift);
    multiplier = Number((BigInt(multiplier) << BigInt(extra)) / BigInt(count));
    shift -= extra;
  }
  const sum = values.reduce((a, b) => a + b, 0) - p.zeroPoint * count;
  return clamp(fp.multiplyByQuantizedMultiplier(sum, multiplier, shift) + q.zeroPoint);
}

/** MultiplyByQuantizedMultiplier of an int64, whose multiplier has 16 bits. */
export function rescaleWide(value: bigint, multiplier: number, shift: number): number {
  const reduced = multiplier < 0x7fff0000 ? Math.floor((multiplier + 2 ** 15) / 2 ** 16) : 0x7fff;
  const total = BigInt(15 - shift);
  return Number(BigInt.asIntN(32, (value * BigInt(reduced) + (1n << (total - 1n))) >> total));
}
