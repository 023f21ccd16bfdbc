/**
 * Transposition. Where rows of y are contiguous in x they are copied; where y's last two dimensions are x's the other
 * way round, tiles of 16 × 8 bytes, or of 4 × 4 elements of four bytes, are transposed in registers; three planes of a
 * picture are interleaved.
 */
import { Permute } from "./params";
import { gather, permute as portablePermute, source } from "./permute";
import { share } from "../common/split";
import { copyBytes } from "../common/edge.simd";

/** y dense in order, x by strides in bytes; elements of 1, 2, 4, 8 or 16 bytes. Parts split the rows of y. */
export function permute(p: Permute, part: u32, parts: u32): void {
  const size = p.size;
  const rows = p.d0 * p.d1 * p.d2 * p.d3 * p.d4;
  if (rows < parts) return portablePermute(p, part, parts);
  const length = p.d5;
  const rowBytes = length * size;
  const swaps = size == 1 && p.x4 == 1 && length >= 8;
  const end = share(rows, part + 1, parts);
  let row = share(rows, part, parts);
  while (row < end) {
    let x = source(p, row * length);
    let y = <usize>p.y + row * rowBytes;
    const together = min(p.d4 - (row % p.d4), end - row);
    if (length == 3 && p.x4 == size) {
      const done = size == 1 ? threeBytes(y, x, together, p.x5) : size == 4 ? threeWords(y, x, together, p.x5) : 0;
      row += done;
      if (done) continue;
    }
    if (swaps && together >= 16) {
      transposeRows(y, x, length, p.x5);
      row += 16;
      continue;
    }
    if (size == 4 && p.x4 == 4 && length >= 4 && together >= 4) {
      const whole = length & ~3;
      for (let i: u32 = 0; i < whole; i += 4) turnFour(y + (i << 2), x + i * p.x5, rowBytes, p.x5);
      if (whole < length)
        for (let r: u32 = 0; r < 4; r++) gather(y + r * rowBytes + (whole << 2), x + whole * p.x5 + (r << 2), length - whole, p.x5, 4);
      row += 4;
      continue;
    }
    for (const last = row + together; row < last; row++) {
      if (p.x5 == size) copyBytes(y, x, rowBytes);
      else gather(y, x, length, p.x5, size);
      y += rowBytes;
      x += p.x4;
    }
  }
}

/** Pixels of three bytes from planes `step` apart, sixteen at a time; how many of `count` they are. */
function threeBytes(y: usize, x: usize, count: u32, step: u32): u32 {
  const whole = count & ~15;
  const end = x + whole;
  for (; x < end; x += 16, y += 48) {
    const a = v128.load(x);
    const b = v128.load(x + step);
    const c = v128.load(x + (step << 1));
    const first = i8x16.shuffle(a, b, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
    v128.store(y, i8x16.shuffle(first, c, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
    const second = i8x16.shuffle(a, b, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
    v128.store(y, i8x16.shuffle(second, c, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15), 16);
    const third = i8x16.shuffle(a, b, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
    v128.store(y, i8x16.shuffle(third, c, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31), 32);
  }
  return whole;
}

/** The same of elements of four bytes, four at a time. */
function threeWords(y: usize, x: usize, count: u32, step: u32): u32 {
  const whole = count & ~3;
  const end = x + (whole << 2);
  for (; x < end; x += 16, y += 48) {
    const a = v128.load(x);
    const b = v128.load(x + step);
    const c = v128.load(x + (step << 1));
    v128.store(y, i32x4.shuffle(i32x4.shuffle(a, b, 0, 4, 0, 1), c, 0, 1, 4, 3));
    v128.store(y, i32x4.shuffle(i32x4.shuffle(a, b, 5, 0, 2, 6), c, 0, 5, 2, 3), 16);
    v128.store(y, i32x4.shuffle(i32x4.shuffle(a, b, 0, 3, 7, 0), c, 6, 1, 2, 7), 32);
  }
  return whole;
}

/** Four rows of four elements of four bytes, `step` bytes apart in x and `rowBytes` in y. */
// @ts-ignore: decorator
@inline function turnFour(y: usize, x: usize, rowBytes: usize, step: usize): void {
  const a = v128.load(x);
  const b = v128.load(x + step);
  const c = v128.load(x + 2 * step);
  const d = v128.load(x + 3 * step);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  v128.store(y, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(y + rowBytes, i64x2.shuffle(ab, cd, 1, 3));
  const ab2 = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd2 = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(y + 2 * rowBytes, i64x2.shuffle(ab2, cd2, 0, 2));
  v128.store(y + 3 * rowBytes, i64x2.shuffle(ab2, cd2, 1, 3));
}

/** Sixteen rows of y, `length` bytes each: row r is column r of x's rows of stride `step`. */
function transposeRows(y: usize, x: usize, length: u32, step: u32): void {
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) {
    transposeTile(y + i, x + i * step, length, step);
  }
  if (i == length) return;
  for (let r: u32 = 0; r < 16; r++) gather(y + r * length + i, x + i * step + r, length - i, step, 1);
}

/** Eight rows of sixteen bytes, `step` apart, become sixteen of eight, `length` apart, in three rounds of interleaving. */
export function transposeTile(y: usize, x: usize, length: u32, step: u32): void {
  const x4 = x + (step << 2);
  const r0 = v128.load(x);
  const r1 = v128.load(x + step);
  const r2 = v128.load(x + (step << 1));
  const r3 = v128.load(x + step * 3);
  const r4 = v128.load(x4);
  const r5 = v128.load(x4 + step);
  const r6 = v128.load(x4 + (step << 1));
  const r7 = v128.load(x4 + step * 3);
  halfTile(y, length, low8(r0, r4), low8(r1, r5), low8(r2, r6), low8(r3, r7));
  halfTile(y + (length << 3), length, high8(r0, r4), high8(r1, r5), high8(r2, r6), high8(r3, r7));
}

/** Operands hold rows (0,4), (1,5), (2,6), (3,7), byte by byte; stores eight rows of y. */
// @ts-ignore: decorator
@inline function halfTile(y: usize, length: u32, a: v128, b: v128, c: v128, d: v128): void {
  const ac0 = low8(a, c);
  const ac1 = high8(a, c);
  const bd0 = low8(b, d);
  const bd1 = high8(b, d);
  const y4 = y + (length << 2);
  storePair(y, y + length, low8(ac0, bd0));
  storePair(y + (length << 1), y + length * 3, high8(ac0, bd0));
  storePair(y4, y4 + length, low8(ac1, bd1));
  storePair(y4 + (length << 1), y4 + length * 3, high8(ac1, bd1));
}

// @ts-ignore: decorator
@inline function storePair(first: usize, second: usize, v: v128): void {
  v128.store64_lane(first, v, 0);
  v128.store64_lane(second, v, 1);
}

// @ts-ignore: decorator
@inline function low8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline function high8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
