/** RSQRT on int8 in gemmlowp's fixed point. */
import { highMul, rescale } from "../requantize/fixedpoint.ts";
import { type Affine, quantizeMultiplier } from "../requantize/quantization.ts";
import { byteTable } from "./tables.ts";

const MAX = 2 ** 31 - 1;

/** x · 2^exponent, saturating to int32. */
function saturatingShift(x: number, exponent: number): number {
  return Math.min(Math.max(x * 2 ** exponent, -(2 ** 31)), MAX);
}

/** 1/√x of an integer from 1 as multiplier · 2^(shift − 31): five Newton steps from 1 in Q3.28. */
export function inverseRoot(x: number): { readonly multiplier: number; readonly shift: number } {
  if (x <= 1) return { multiplier: MAX, shift: 0 };
  let input = x;
  let right = 11;
  for (; input >= 2 ** 29; right++) input = Math.trunc(input / 4);
  const pairs = Math.floor((Math.clz32(input) - 1) / 2) - 1;
  right -= pairs;
  input *= 4 ** pairs;
  const half = Math.floor(((input >> 1) + 1) / 2);
  let r = 2 ** 28;
  for (let i = 0; i < 5; i++) {
    const cube = saturatingShift(highMul(highMul(r, r), r), 6);
    r = saturatingShift(highMul(2 ** 28 + 2 ** 27, r) - highMul(half, cube), 3);
  }
  const multiplier = highMul(r, 1518500250);
  return right < 0 ? { multiplier: multiplier * 2 ** -right, shift: 0 } : { multiplier, shift: -right };
}

/** 1 / (√(input scale) · output scale); the root is float32's. */
export function rsqrtFactor(x: Affine, y: Affine): number {
  return 1 / Math.fround(Math.fround(Math.sqrt(x.scale)) * y.scale);
}

/** Bits that keep 1/√x whole. */
const KEPT = 20;

/** 256 bytes; below the zero point, where there is no root, as at it. */
export function rsqrtTable(x: Affine, y: Affine): Uint8Array {
  const factor = quantizeMultiplier(rsqrtFactor(x, y));
  return byteTable("int8", "int8", (q) => {
    const value = q - x.zeroPoint;
    if (value <= 0) return 127;
    const { multiplier, shift } = inverseRoot(value);
    const root = rescale(1, multiplier, shift + KEPT);
    return rescale(root, factor.multiplier, factor.shift - KEPT) + y.zeroPoint;
  });
}
