/**
 * What hybrid products by the relaxed dot product read, which multiplies bytes in fours of k: tiles of six rows, panels of eight columns.
 *
 * A row's q − zero point, which take up to nine bits, become bytes by taking off the least of them; a column's sum of weights
 * times that number comes back on. Weights of nine bits (`wStep` 1) are moved by one number a panel, which the sum of a row
 * brings back. Sums are the same int32 as those of `tile-f32.ts`.
 *
 * A tile: HEAD bytes (of six rows each: scale, what the columns' sums are multiplied with, sum) | [k/4][6][4].
 */
import { activationMask } from "../common/probe";
import { dynamicBits, dynamicScale, dynamicZeroPoint, MAGIC } from "./hybrid-f32";

export const ROWS: u32 = 6;
/** Where what the columns' sums are multiplied with and the rows' sums stand in a tile, and its head's bytes. */
export const FACTORS: usize = 24;
export const SUMS: usize = 48;
export const HEAD: usize = 80;
/** Bytes of four k's of a tile, and of a panel. */
export const A_STEP: usize = 24;
export const B_STEP: usize = 32;
/** Before a panel's steps: its columns' sums of weights, scales and biases. */
export const PANEL_HEAD: usize = 96;
/** The fewest pairs of k for which tiles stand in the room that the pairs' rows would take. */
export const LEAST_PAIRS: u32 = 32;

// @ts-ignore: decorator
@inline export function tileBytes(k: u32): usize {
  return HEAD + <usize>((k + 1) >>> 1) * A_STEP;
}

/** Rows whose tiles take the bytes of `rows` rows of k pairs. */
// @ts-ignore: decorator
@inline export function rowsOfFours(rows: u32, k: u32): u32 {
  return (<u32>((<usize>(rows * k) << 2) / tileBytes(k))) * ROWS;
}

/** Puts a row, k pairs of q − zero point as int16 at `v`, into the tiles at `tiles` as row i of all. */
export function packFours(tiles: usize, i: u32, v: usize, k: u32, scale: f32): void {
  const inTile = <usize>(i % ROWS) << 2;
  const tile = tiles + <usize>(i / ROWS) * tileBytes(k);
  const end = v + (<usize>k << 2);
  // whole vectors, and fours of k, from zeros on
  for (let z: usize = 0; z < 32; z += 4) store<u32>(end + z, 0);
  let least = i16x8.splat(0);
  let sums = i32x4.splat(0);
  for (let at = v; at < end; at += 16) {
    const values = v128.load(at);
    least = i16x8.min_s(least, values);
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(values, i16x8.splat(1)));
  }
  least = i16x8.min_s(least, i64x2.shuffle(least, least, 1, 0));
  least = i16x8.min_s(least, i32x4.shuffle(least, least, 1, 0, 3, 2));
  const lowest = min<i32>(i16x8.extract_lane_s(least, 0), i16x8.extract_lane_s(least, 1));
  sums = i32x4.add(sums, i64x2.shuffle(sums, sums, 1, 0));
  const mask = activationMask();
  store<f32>(tile + inTile, scale);
  // the dot product counts the bytes from the least on where it takes them as unsigned, from the least − 128 on where as signed
  store<i32>(tile + inTile, lowest + 128 - (i32x4.extract_lane(mask, 0) & 128), FACTORS);
  store<i32>(tile + inTile, i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1), SUMS);
  const offset = i16x8.splat(<i16>(-128 - lowest));
  let to = tile + HEAD + inTile;
  for (; v + 32 <= end; v += 32) {
    const bytes = bytesOf(v, offset, mask);
    storeFours(to, bytes);
    to += 4 * A_STEP;
  }
  let rest = bytesOf(v, offset, mask);
  for (; v < end; v += 8) {
    v128.store32_lane(to, rest, 0);
    rest = i32x4.shuffle(rest, rest, 1, 2, 3, 0);
    to += A_STEP;
  }
}

/** The same of `count` floats at x of a tensor that was measured, by ONNX's DynamicQuantizeLinear; `own`: room of 64 bytes. */
export function packDynamic(tiles: usize, i: u32, x: usize, count: u32, k: u32, own: usize): void {
  const inTile = <usize>(i % ROWS) << 2;
  const tile = tiles + <usize>(i / ROWS) * tileBytes(k);
  const mask = activationMask();
  const scale = dynamicScale();
  const point = dynamicZeroPoint(scale);
  const lo = -point;
  const hi = <f32>255 - point;
  const divisor = f32x4.splat(scale);
  // what brings the least to −128
  const signed = i32x4.splat(MAGIC + 128 - <i32>point);
  const zero = <i32>point - 128 + (i32x4.extract_lane(mask, 0) & 128);
  let sums = i32x4.splat(0);
  let to = tile + HEAD + inTile;
  for (let left = count; left; ) {
    const some = min<u32>(left, 16);
    let from = x;
    if (some < 16) {
      memory.copy(own, x, some << 2);
      // zeros in the last values' stead are taken as zero points
      memory.fill(own + (some << 2), 0, (16 - some) << 2);
      from = own;
    }
    const a = i16x8.narrow_i32x4_s(centred(from, divisor, lo, hi, signed), centred(from + 16, divisor, lo, hi, signed));
    const b = i16x8.narrow_i32x4_s(centred(from + 32, divisor, lo, hi, signed), centred(from + 48, divisor, lo, hi, signed));
    let bytes = v128.xor(mask, i8x16.narrow_i16x8_s(a, b));
    sums = dot(bytes, i8x16.splat(1), sums);
    if (some == 16) {
      storeFours(to, bytes);
      to += 4 * A_STEP;
    } else
      for (const end = tile + tileBytes(k); to < end; to += A_STEP) {
        v128.store32_lane(to, bytes, 0);
        bytes = i32x4.shuffle(bytes, bytes, 1, 2, 3, 0);
      }
    x += 64;
    left -= some;
  }
  sums = i32x4.add(sums, i64x2.shuffle(sums, sums, 1, 0));
  store<f32>(tile + inTile, scale);
  store<i32>(tile + inTile, -zero, FACTORS);
  const counted = <i32>((count + 15) & ~15);
  store<i32>(tile + inTile, i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) - zero * counted, SUMS);
}

/** Four values, the least of them −128. */
// @ts-ignore: decorator
@inline function centred(x: usize, divisor: v128, lo: f32, hi: f32, signed: v128): v128 {
  return i32x4.sub(dynamicBits(v128.load(x), divisor, lo, hi), signed);
}

/** Sixteen bytes of a row as four of its steps. */
// @ts-ignore: decorator
@inline function storeFours(to: usize, bytes: v128): void {
  v128.store32_lane(to, bytes, 0);
  v128.store32_lane(to + A_STEP, bytes, 1);
  v128.store32_lane(to + 2 * A_STEP, bytes, 2);
  v128.store32_lane(to + 3 * A_STEP, bytes, 3);
}

/** Sixteen values as the dot product's bytes. */
// @ts-ignore: decorator
@inline function bytesOf(v: usize, offset: v128, mask: v128): v128 {
  return v128.xor(mask, i8x16.narrow_i16x8_s(i16x8.add(v128.load(v), offset), i16x8.add(v128.load(v, 16), offset)));
}

/**
 * The panel of pairs at `b`, as int16 where `wide`, as fours at `target`, behind a head with the eight columns' sums. Returns the number that was
 * taken off its weights.
 */
export function panelOfFours(target: usize, b: usize, k: u32, wide: bool): i32 {
  const step: usize = wide ? 32 : 16;
  let moved: i32 = 0;
  if (wide) {
    let least = i16x8.splat(0);
    for (let at = b; at < b + <usize>k * step; at += 16) least = i16x8.min_s(least, v128.load(at));
    least = i16x8.min_s(least, i64x2.shuffle(least, least, 1, 0));
    least = i16x8.min_s(least, i32x4.shuffle(least, least, 1, 0, 3, 2));
    moved = 128 + min<i32>(i16x8.extract_lane_s(least, 0), i16x8.extract_lane_s(least, 1));
  }
  const ones = i8x16.splat(1);
  const sums = target;
  let s0 = i32x4.splat(0);
  let s1 = s0;
  for (target += PANEL_HEAD; k; target += B_STEP) {
    const even = pairs(b, wide, moved);
    const odd = k > 1 ? pairs(b + step, wide, moved) : i32x4.splat(0);
    const b0 = i16x8.shuffle(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
    const b1 = i16x8.shuffle(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
    v128.store(target, b0);
    v128.store(target, b1, 16);
    s0 = dot(ones, b0, s0);
    s1 = dot(ones, b1, s1);
    b += step << 1;
    k -= min<u32>(k, 2);
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  return moved;
}

/** Eight columns' pair as int8. */
// @ts-ignore: decorator
@inline function pairs(b: usize, wide: bool, moved: i32): v128 {
  if (!wide) return v128.load(b);
  const by = i16x8.splat(<i16>moved);
  return i8x16.narrow_i16x8_s(i16x8.sub(v128.load(b), by), i16x8.sub(v128.load(b, 16), by));
}

// @ts-ignore: decorator
@inline export function dot(x: v128, b: v128, sum: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.relaxed_dot_i8x16_i7x16_add_s(b, x, sum) : sum;
}
