/**
 * Hybrid products of rows by the relaxed dot product, which multiplies bytes in fours of k: tiles of six rows by eight columns.
 *
 * A row's q − zero point, which take up to nine bits, become bytes by taking off the least of them; a column's sum of weights
 * times that number comes back on. Weights of nine bits (`wStep` 1) are moved by one number a panel, which the sum of a row
 * brings back. Sums are the same int32 as those of `tile-f32.ts`.
 *
 * A tile: HEAD bytes (of six rows each: scale, what the columns' sums are multiplied with, sum) | [k/4][6][4].
 */
import { activationMask } from "../common/probe";
import { GemmF32, WHOLE } from "./f32-params";
import { dynamicBits, dynamicScale, dynamicZeroPoint, MAGIC } from "./hybrid-f32";
import { columns, storeFour, storePair } from "./tile-f32";

const ROWS: u32 = 6;
/** Where what the columns' sums are multiplied with and the rows' sums stand in a tile, and its head's bytes. */
const FACTORS: usize = 24;
const SUMS: usize = 48;
const HEAD: usize = 80;
/** Bytes of four k's of a tile, and of a panel. */
const A_STEP: usize = 24;
const B_STEP: usize = 32;
/** Before a panel's steps: its columns' sums of weights, scales and biases. */
const PANEL_HEAD: usize = 96;
/** The fewest pairs of k for which tiles stand in the room that the pairs' rows would take. */
export const LEAST_PAIRS: u32 = 32;

// @ts-ignore: decorator
@inline function tileBytes(k: u32): usize {
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
    v128.store32_lane(to, bytes, 0);
    v128.store32_lane(to + A_STEP, bytes, 1);
    v128.store32_lane(to + 2 * A_STEP, bytes, 2);
    v128.store32_lane(to + 3 * A_STEP, bytes, 3);
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
      v128.store32_lane(to, bytes, 0);
      v128.store32_lane(to + A_STEP, bytes, 1);
      v128.store32_lane(to + 2 * A_STEP, bytes, 2);
      v128.store32_lane(to + 3 * A_STEP, bytes, 3);
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
@inline function dot(x: v128, b: v128, sum: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.relaxed_dot_i8x16_i7x16_add_s(b, x, sum) : sum;
}

/** Rows that have scales and zero points of their own, and such that have the first one's. */
class Own {}
class Whole {}

/** What a row's sums of four columns begin with; Whole: `sums` are multiplied already. */
// @ts-ignore: decorator
@inline function begin<W>(sums: v128, head: usize, moved: i32): v128 {
  const own = idof<W>() == idof<Whole>() ? sums : i32x4.mul(sums, v128.load32_splat(head, FACTORS));
  return moved ? i32x4.add(own, i32x4.splat(moved * load<i32>(head, SUMS))) : own;
}

/** One row's eight columns; Whole: scales are multiplied with the rows' already. */
// @ts-ignore: decorator
@inline function finishPair<W>(p: GemmF32, y: usize, r0: v128, r1: v128, rowScale: f32, s0: v128, s1: v128, b0: v128, b1: v128, width: u32): void {
  if (idof<W>() == idof<Whole>()) {
    storeFour(y, finishWhole(p, r0, s0, b0), width);
    if (width > 4) storeFour(y + 16, finishWhole(p, r1, s1, b1), width - 4);
  } else storePair(p, y, r0, r1, rowScale, s0, s1, b0, b1, width);
}

// @ts-ignore: decorator
@inline function finishWhole(p: GemmF32, sum: v128, scale: v128, bias: v128): v128 {
  const v = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), scale), bias);
  return f32x4.pmin(f32x4.pmax(v, f32x4.splat(p.lo)), f32x4.splat(p.hi));
}

/** Scales and biases of a panel's columns behind their sums; Whole: multiplied with what all rows have. */
// @ts-ignore: decorator
@inline function prepareHead<W>(p: GemmF32, t: usize, head: usize, column: u32, width: u32): void {
  const right = max(width, 4) - 4;
  let scale0 = columns(p.scaleTable, column, width);
  let scale1 = columns(p.scaleTable, column + 4, right);
  if (idof<W>() == idof<Whole>()) {
    const factor = v128.load32_splat(t, FACTORS);
    v128.store(head, i32x4.mul(v128.load(head), factor));
    v128.store(head, i32x4.mul(v128.load(head, 16), factor), 16);
    const scale = v128.load32_splat(t);
    scale0 = f32x4.mul(scale0, scale);
    scale1 = f32x4.mul(scale1, scale);
  }
  v128.store(head, scale0, 32);
  v128.store(head, scale1, 48);
  v128.store(head, columns(p.bias, column, width), 64);
  v128.store(head, columns(p.bias, column + 4, right), 80);
}

/** `rows` rows in tiles at `t` by the panel of fours at `b`, which is of `width` columns from `column` on; rows of C begin at `y`. */
export function tilesOfFours(p: GemmF32, t: usize, rows: u32, b: usize, moved: i32, y: usize, column: u32, width: u32): void {
  if (p.asymmetric == WHOLE) tiles<Whole>(p, t, rows, b, moved, y, column, width);
  else tiles<Own>(p, t, rows, b, moved, y, column, width);
}

function tiles<W>(p: GemmF32, t: usize, rows: u32, b: usize, moved: i32, y: usize, column: u32, width: u32): void {
  const size = tileBytes(p.k);
  const stride = <usize>p.yStride;
  const head = b;
  const end = b + PANEL_HEAD + (size - HEAD) / A_STEP * B_STEP;
  prepareHead<W>(p, t, b, column, width);
  b += PANEL_HEAD;
  y += <usize>column << 2;
  for (; rows; t += size) {
    // from memory: what would live through the loop would take its registers
    const s0 = v128.load(head);
    const s1 = v128.load(head, 16);
    let r00 = begin<W>(s0, t, moved);
    let r01 = begin<W>(s1, t, moved);
    let r10 = begin<W>(s0, t + 4, moved);
    let r11 = begin<W>(s1, t + 4, moved);
    let r20 = begin<W>(s0, t + 8, moved);
    let r21 = begin<W>(s1, t + 8, moved);
    let r30 = begin<W>(s0, t + 12, moved);
    let r31 = begin<W>(s1, t + 12, moved);
    let r40 = begin<W>(s0, t + 16, moved);
    let r41 = begin<W>(s1, t + 16, moved);
    let r50 = begin<W>(s0, t + 20, moved);
    let r51 = begin<W>(s1, t + 20, moved);
    let a = t + HEAD;
    for (let w = b; w < end; w += B_STEP) {
      const b0 = v128.load(w);
      const b1 = v128.load(w, 16);
      let x = v128.load32_splat(a);
      r00 = dot(x, b0, r00);
      r01 = dot(x, b1, r01);
      x = v128.load32_splat(a, 4);
      r10 = dot(x, b0, r10);
      r11 = dot(x, b1, r11);
      x = v128.load32_splat(a, 8);
      r20 = dot(x, b0, r20);
      r21 = dot(x, b1, r21);
      x = v128.load32_splat(a, 12);
      r30 = dot(x, b0, r30);
      r31 = dot(x, b1, r31);
      x = v128.load32_splat(a, 16);
      r40 = dot(x, b0, r40);
      r41 = dot(x, b1, r41);
      x = v128.load32_splat(a, 20);
      r50 = dot(x, b0, r50);
      r51 = dot(x, b1, r51);
      a += A_STEP;
    }
    const scale0 = v128.load(head, 32);
    const scale1 = v128.load(head, 48);
    const bias0 = v128.load(head, 64);
    const bias1 = v128.load(head, 80);
    finishPair<W>(p, y, r00, r01, load<f32>(t), scale0, scale1, bias0, bias1, width);
    if (rows > 1) finishPair<W>(p, y + stride, r10, r11, load<f32>(t, 4), scale0, scale1, bias0, bias1, width);
    if (rows > 2) finishPair<W>(p, y + 2 * stride, r20, r21, load<f32>(t, 8), scale0, scale1, bias0, bias1, width);
    if (rows > 3) finishPair<W>(p, y + 3 * stride, r30, r31, load<f32>(t, 12), scale0, scale1, bias0, bias1, width);
    if (rows > 4) finishPair<W>(p, y + 4 * stride, r40, r41, load<f32>(t, 16), scale0, scale1, bias0, bias1, width);
    if (rows > 5) finishPair<W>(p, y + 5 * stride, r50, r51, load<f32>(t, 20), scale0, scale1, bias0, bias1, width);
    y += ROWS * stride;
    rows -= min(rows, ROWS);
  }
}
