/** Functions of rows of quantized numbers beyond the int8 softmax. @full */
import { clamp, highMul, inverseRoot, reciprocalOfOnePlus, rescale, roundingShift, saturatingShift } from "../common/fixedpoint";
import { share } from "../common/split";
import { Softmax } from "./params";

/** Softmax of int16 rows by two tables of 513 int16 each: exp from −10 to 0, and 1/(1 + x) from 0 to 1. */
@unmanaged
export class SoftmaxWide extends Softmax {
  reciprocalTable: u32;
  /** Differences to the row's maximum as 65535ths of 10. */
  multiplier: i32;
  shift: i32;
}

/** Log-softmax of int8 rows; tables of 256 int32 by difference to the row's maximum. */
@unmanaged
export class LogSoftmax extends Softmax {
  /** The difference itself as Q5.26; `expTable` is its exponential as Q12.19. */
  diffTable: u32;
  /** The least difference that counts, and the factor from Q5.26 back to differences. */
  least: i32;
  multiplier: i32;
  shift: i32;
}

/** Rows over their Euclidean length. */
@unmanaged
export class Normalize {
  x: u32;
  y: u32;
  rows: u32;
  depth: u32;
  xZeroPoint: i32;
  /** 1 where the tensors were uint8, whose products are rounded otherwise. */
  unsigned: u32;
}

/** int8 softmax with an int16 output of scale 1/65536 and zero point −32768; otherwise as `softmax`. */
export function softmaxS8S16(p: Softmax, part: u32, parts: u32): void {
  const depth = p.depth;
  const last = share(p.rows, part + 1, parts);
  const first = share(p.rows, part, parts);
  let x = <usize>p.x + <usize>(first * depth);
  let y = <usize>p.y + <usize>(first * depth) * 2;
  for (let row = first; row < last; row++) {
    const end = x + <usize>depth;
    let largest: i32 = -128;
    for (let i = x; i < end; i++) largest = max(largest, <i32>load<i8>(i));
    let wide: i64 = 0;
    for (let i = x; i < end; i++) wide += roundingShift(exp(p.expTable, largest, i), 12);
    const sum = <u32>min(wide, <i64>i32.MAX_VALUE);
    const headroom = clz(sum);
    const scale = reciprocalOfOnePlus((<i32>sum << headroom) ^ i32.MIN_VALUE);
    const shift = 27 - <i32>headroom;
    for (; x < end; x++) {
      store<i16>(y, <i16>min(roundingShift(highMul(scale, exp(p.expTable, largest, x)), shift) - 32768, 32767));
      y += 2;
    }
  }
}

// @ts-ignore: decorator
@inline function exp(table: u32, largest: i32, x: usize): i32 {
  return load<i32>(<usize>table + (<usize>(largest - <i32>load<i8>(x)) << 2));
}

/** int16 softmax, output scale 1/32768. The row's exponentials stand in the output while they are summed. */
export function softmaxS16(p: SoftmaxWide, part: u32, parts: u32): void {
  const line = <usize>p.depth * 2;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    const x = <usize>p.x + <usize>row * line;
    const y = <usize>p.y + <usize>row * line;
    let largest: i32 = -32768;
    for (let i: usize = 0; i < line; i += 2) largest = max(largest, <i32>load<i16>(x + i));
    let sum: i32 = 0;
    for (let i: usize = 0; i < line; i += 2) {
      const scaled = rescale(<i32>load<i16>(x + i) - largest, p.multiplier, p.shift);
      const value = interpolate(clamp(scaled + 32767, -32768, 32767), p.expTable);
      store<i16>(y + i, <i16>value);
      sum += value;
    }
    const headroom = clz(sum);
    const shifted = <i32>(((<i64>sum << (headroom - 1)) + (1 << 13)) >> 14) - ((1 << 15) + (1 << 16));
    const reciprocal = interpolate(clamp(shifted, -32768, 32767), p.reciprocalTable);
    const right = 31 - headroom;
    const half = (1 << right) >> 1;
    for (let i: usize = 0; i < line; i += 2) {
      const result = (<i32>load<i16>(y + i) * reciprocal + half) >> right;
      store<i16>(y + i, <i16>clamp(result, 0, 32767));
    }
  }
}

/** Between two of the 513 int16 at `table`, by the low seven bits. */
// @ts-ignore: decorator
@inline function interpolate(value: i32, table: u32): i32 {
  const at = <usize>table + (<usize>(256 + (value >> 7)) << 1);
  const base = <i32>load<i16>(at);
  const slope = <i32>load<i16>(at, 2) - base;
  return <i32><i16>(base + ((slope * (value & 127) + 64) >> 7));
}

/** int8 log-softmax, output scale 1/16 and zero point 127. */
export function logSoftmax(p: LogSoftmax, part: u32, parts: u32): void {
  const depth = p.depth;
  const last = share(p.rows, part + 1, parts);
  const first = share(p.rows, part, parts);
  let x = <usize>p.x + <usize>(first * depth);
  let y = <usize>p.y + <usize>(first * depth);
  for (let row = first; row < last; row++) {
    const end = x + <usize>depth;
    let largest: i32 = -128;
    for (let i = x; i < end; i++) largest = max(largest, <i32>load<i8>(i));
    let wide: i64 = 0;
    for (let i = x; i < end; i++) wide += exp(p.expTable, largest, i);
    const log = logOf(<i32>min(wide, <i64>i32.MAX_VALUE));
    const least = max(p.least - 1, rescale(log + i32.MIN_VALUE, p.multiplier, p.shift));
    for (; x < end; x++) {
      const difference = <i32>load<i8>(x) - largest;
      const value = difference > least ? roundingShift(exp(p.diffTable, largest, x) - log, 22) + 127 : -128;
      store<i8>(y, clamp(value, -128, 127));
      y++;
    }
  }
}

/** The natural logarithm of a Q12.19 from 1 up, as Q5.26: a rational function around the fourth root of 1/2. */
function logOf(z: i32): i32 {
  const headroom = <i32>clz(z);
  const a = saturatingShift(highMul(saturatingShift(z, headroom - 1), 1518500250), 1);
  const aPower = saturatingAdd(saturatingShift(12 - headroom, 25), 8388608);
  const bHeadroom = <i32>clz(highMul(z, 1518500250)) - 1;
  const b = saturatingShift(z, bHeadroom);
  const bPower = saturatingAdd(saturatingShift(12 - bHeadroom, 25), -8388608);
  const r = min(a, b);
  const power = max(aPower, bPower);
  const p = <i32>((<i64>r + 1805811301 + 1) / 2);
  const q = (r - 1805811301) * 2;
  const square = highMul(q, q);
  const numerator = highMul(q, r) + highMul(highMul(q, square), 117049297);
  const denominator = highMul(p, 1057819769 + q + highMul(127690142, square)) + highMul(638450708, q);
  const quotient = highMul(roundingShift(numerator, 6), reciprocalOfOnePlus(denominator));
  return saturatingShift(highMul(power, 1488522236) + quotient, 1);
}

// @ts-ignore: decorator
@inline function saturatingAdd(a: i32, b: i32): i32 {
  return <i32>min(max(<i64>a + <i64>b, <i64>i32.MIN_VALUE), <i64>i32.MAX_VALUE);
}

/** int8 rows over their length, output scale 1/128. */
export function l2Normalize(p: Normalize, part: u32, parts: u32): void {
  const depth = p.depth;
  const last = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < last; row++) {
    const x = <usize>p.x + <usize>(row * depth);
    const y = <usize>p.y + <usize>(row * depth);
    let sum: i32 = 0;
    for (let i: u32 = 0; i < depth; i++) {
      const value = <i32>load<i8>(x + i) - p.xZeroPoint;
      sum += value * value;
    }
    let multiplier = i32.MAX_VALUE;
    let shift: i32 = 0;
    if (sum > 1) {
      shift = 11;
      while (sum >= 1 << 29) {
        sum /= 4;
        shift++;
      }
      const pairs = (<i32>clz(sum) - 1) / 2 - 1;
      shift -= pairs;
      multiplier = inverseRoot(sum << (2 * pairs));
      if (shift < 0) {
        multiplier <<= -shift;
        shift = 0;
      }
    }
    for (let i: u32 = 0; i < depth; i++) {
      const value = <i32>load<i8>(x + i) - p.xZeroPoint;
      const result = p.unsigned ? roundingShift(highMul(128 * value, multiplier), shift) : rescale(value, multiplier, 7 - shift);
      store<i8>(y + i, clamp(result, -128, 127));
    }
  }
}
