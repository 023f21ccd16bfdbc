/** Tables of functions of one int8 or int16 that the reference computes in float32. */
import { type Affine, roundHalfAway } from "../requantize/quantization.ts";
import { interpolatedTable } from "./interpolated.ts";
import { byteTable } from "./tables.ts";

const f = Math.fround;

/** A function of float32, which rounds its own result. */
export type RealFunction = (x: number) => number;

/** 256 bytes: the function of the real value, times 1/scale, rounded half away from zero. Source: TFLite's LUTPopulate. */
export function realTable(x: Affine, y: Affine, value: RealFunction): Uint8Array {
  const inverse = f(1 / y.scale);
  return byteTable("int8", "int8", (q) => {
    const scaled = roundHalfAway(f(value(f(x.scale * (q - x.zeroPoint))) * inverse));
    return Number.isNaN(scaled) ? 0 : f(scaled + y.zeroPoint);
  });
}

/**
 * 513 int16 for `lookupS16`: the function at every 128th of the inputs, moved by half the error of the straight line at
 * the middle between two of them. Source: TFLite's LUTPopulate for int16, in float32.
 */
export function lineTable(x: Affine, y: Affine, value: RealFunction): Int16Array {
  const [least, most] = [f(x.scale * (-32768 - x.zeroPoint)), f(x.scale * (32767 - x.zeroPoint))];
  const [bottom, top] = [f(y.scale * (-32768 - y.zeroPoint)), f(y.scale * (32767 - y.zeroPoint))];
  return interpolatedTable(value, [least, most], [bottom, top], f);
}

/** One less the error function, whose series serves below 3, and from there its own continued fraction. */
function erfc(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  const tail = Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction));
  return x > 0 ? tail : 2 - tail;
}

/** Functions as the reference writes them. */
export const REAL = {
  exp: (x: number) => f(Math.exp(x)),
  logistic: (x: number) => f(1 / (1 + Math.exp(-x))),
  tanh: (x: number) => f(Math.tanh(x)),
  hardSwish: (x: number) => f((x * Math.min(Math.max(x + 3, 0), 6)) / 6),
  elu: (x: number) => (x < 0 ? f(Math.expm1(x)) : x),
  gelu: (x: number) => f(f(0.5 * x) * f(erfc(f(x * f(-Math.SQRT1_2))))),
  geluTanh(x: number) {
    const cube = f(f(f(f(0.044715) * x) * x) * x);
    return f(f(0.5 * x) * f(1 + f(Math.tanh(f(f(0.7978845608028654) * f(x + cube))))));
  },
} as const;

/** log, of what is not above 0 the least output. */
export function logFunction({ scale, zeroPoint }: Affine, lowest: number): RealFunction {
  const least = f(f(lowest - zeroPoint) * scale);
  return (x) => (x <= 0 ? least : f(Math.log(x)));
}

/** 1/√x, of what is not above 0 the greatest output. */
export function rsqrtFunction({ scale }: Affine): RealFunction {
  return (x) => (x <= 0 ? f(32767 * scale) : f(1 / f(Math.sqrt(x))));
}

/** √x on int8: the quotient is cut, not rounded. Source: TFLite's SqrtEvalQuantized; below 0 the least value. */
export function sqrtTable(x: Affine, y: Affine): Uint8Array {
  return byteTable("int8", "int8", (q) => {
    const real = f(x.scale * (q - x.zeroPoint));
    return real < 0 ? -128 : Math.trunc(f(f(Math.sqrt(real)) / y.scale)) + y.zeroPoint;
  });
}

/**
 * What is to be added to round(65536 / (1 + exp(−i/24))) for TFLite's table of the logistic function in Q0.16, which makes
 * the lines between its entries err less: 1 at these i.
 */
const CORRECTED: readonly number[] = [
  4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49, 50,
  54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255,
];

/** 256 uint16 for `sigmoidS16`. */
export function sigmoidTable(): Uint16Array {
  const table = Uint16Array.from({ length: 256 }, (_, i) => Math.round(65536 / (1 + Math.exp(-i / 24))));
  for (const i of CORRECTED) table[i] = (table[i] as number) + 1;
  return table;
}

/** The factor of `sigmoidS16` for an input scale: of a power of two exact, else in 15 bits. */
export function sigmoidFactor(scale: number, tanh: boolean): { readonly multiplier: number; readonly shift: number } {
  const left = 12 + Math.log2(scale);
  if (left === 0 || (tanh && left === 1)) return { multiplier: 3 * 2 ** left, shift: 0 };
  let multiplier = scale * 4096 * 3;
  let shift = 0;
  while (multiplier <= 32767 / 2 && shift <= 30) {
    shift++;
    multiplier *= 2;
  }
  return { multiplier: Math.trunc(multiplier), shift };
}
