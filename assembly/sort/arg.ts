/** Where the extremes are, and the greatest of each row. @full */
import { bytesOf, element, FLOAT32, INT16, INT32, INT64, INT8, storeElement, UINT8 } from "../common/element";
import { share } from "../common/split";

/** y[outer,inner] is where x[outer,depth,inner] is greatest, or least; the first of equals. */
@unmanaged
export class Arg {
  x: u32;
  y: u32;
  outer: u32;
  depth: u32;
  inner: u32;
  least: u32;
  /** Bytes of an index, 4 or 8. */
  size: u32;
}

/** The `k` greatest of each row of x in falling order, and their int32 places; of equals the first comes first. */
@unmanaged
export class Top {
  x: u32;
  y: u32;
  places: u32;
  rows: u32;
  depth: u32;
  k: u32;
}

/** int8. */
export function argS8(p: Arg, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD && p.inner == 1 && p.depth >= 16) argRows(p, part, parts);
  else if (ASC_FEATURE_SIMD) arg<i64>(p, part, parts, INT8);
  else arg<i8>(p, part, parts, INT8);
}

/** Rows of int8, sixteen or more, in vectors: the extreme first, then where it stands; the last vector has some of the one before. */
function argRows(p: Arg, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) {
    const depth = <usize>p.depth;
    const last = depth - 16;
    // ~x is greatest where x is least
    const flip = i8x16.splat(p.least ? -1 : 0);
    const end = share(p.outer, part + 1, parts);
    for (let row = share(p.outer, part, parts); row < end; row++) {
      const x = <usize>p.x + row * depth;
      let most = v128.xor(v128.load(x + last), flip);
      for (let at: usize = 0; at < last; at += 16) most = i8x16.max_s(most, v128.xor(v128.load(x + at), flip));
      most = i8x16.max_s(most, i8x16.shuffle(most, most, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
      most = i8x16.max_s(most, i8x16.shuffle(most, most, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
      most = i8x16.max_s(most, i8x16.shuffle(most, most, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
      most = i8x16.max_s(most, i8x16.shuffle(most, most, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
      most = v128.xor(most, flip);
      let at: usize = 0;
      for (; at < last; at += 16) if (v128.any_true(i8x16.eq(v128.load(x + at), most))) break;
      at = min(at, last);
      at += ctz<i32>(i8x16.bitmask(i8x16.eq(v128.load(x + at), most)));
      storePlace(p, row, <u32>at);
    }
  }
}

/** uint8 and bool. */
export function argU8(p: Arg, part: u32, parts: u32): void {
  arg<i64>(p, part, parts, UINT8);
}

/** int16. */
export function argS16(p: Arg, part: u32, parts: u32): void {
  arg<i64>(p, part, parts, INT16);
}

/** int32. */
export function argS32(p: Arg, part: u32, parts: u32): void {
  arg<i64>(p, part, parts, INT32);
}

/** int64. */
export function argS64(p: Arg, part: u32, parts: u32): void {
  arg<i64>(p, part, parts, INT64);
}

/** float32; NaN is never greater nor less. */
export function argF32(p: Arg, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD && p.inner == 1 && p.depth >= 4) argRowsF32(p, part, parts);
  else arg<f32>(p, part, parts, FLOAT32);
}

/** Rows of four and more in vectors, as `argRows`; those with a NaN number by number. */
function argRowsF32(p: Arg, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) {
    const line = <usize>p.depth << 2;
    const last = line - 16;
    const flip = f32x4.splat(p.least ? -0.0 : 0);
    const end = share(p.outer, part + 1, parts);
    for (let row = share(p.outer, part, parts); row < end; row++) {
      const x = <usize>p.x + row * line;
      let most = v128.xor(v128.load(x + last), flip);
      let odd = f32x4.ne(most, most);
      for (let at: usize = 0; at < last; at += 16) {
        const v = v128.xor(v128.load(x + at), flip);
        odd = v128.or(odd, f32x4.ne(v, v));
        most = f32x4.pmax(most, v);
      }
      if (v128.any_true(odd)) {
        storePlace(p, row, place<f32>(p, FLOAT32, x, 4));
        continue;
      }
      most = f32x4.pmax(most, i32x4.shuffle(most, most, 2, 3, 0, 1));
      most = v128.xor(f32x4.pmax(most, i32x4.shuffle(most, most, 1, 0, 3, 2)), flip);
      let at: usize = 0;
      for (; at < last; at += 16) if (v128.any_true(f32x4.eq(v128.load(x + at), most))) break;
      at = min(at, last);
      storePlace(p, row, <u32>(at >>> 2) + ctz<i32>(i32x4.bitmask(f32x4.eq(v128.load(x + at), most))));
    }
  }
}

/** T: int8, float32, or any integer. */
function arg<T>(p: Arg, part: u32, parts: u32, type: u32): void {
  const total = p.outer * p.inner;
  const end = share(total, part + 1, parts);
  const bytes = bytesOf<T>(type);
  const step = <usize>(p.inner * bytes);
  for (let i = share(total, part, parts); i < end; i++) {
    const n = i / p.inner;
    storePlace(p, i, place<T>(p, type, <usize>p.x + <usize>(n * p.depth * p.inner + i - n * p.inner) * bytes, step));
  }
}

/** Where the extreme of the numbers from `x` on is. */
// @ts-ignore: decorator
@inline function place<T>(p: Arg, type: u32, x: usize, step: usize): u32 {
  let best = element<T>(type, x);
  let at: u32 = 0;
  for (let j: u32 = 1; j < p.depth; j++) {
    x += step;
    const value = element<T>(type, x);
    if (p.least ? value < best : value > best) {
      best = value;
      at = j;
    }
  }
  return at;
}

// @ts-ignore: decorator
@inline function storePlace(p: Arg, i: u32, at: u32): void {
  if (p.size == 8) store<u64>(<usize>p.y + (<usize>i << 3), at);
  else store<u32>(<usize>p.y + (<usize>i << 2), at);
}

/** int8. */
export function topS8(p: Top, part: u32, parts: u32): void {
  top<i64>(p, part, parts, INT8);
}

/** uint8. */
export function topU8(p: Top, part: u32, parts: u32): void {
  top<i64>(p, part, parts, UINT8);
}

/** int16. */
export function topS16(p: Top, part: u32, parts: u32): void {
  top<i64>(p, part, parts, INT16);
}

/** int32. */
export function topS32(p: Top, part: u32, parts: u32): void {
  top<i64>(p, part, parts, INT32);
}

/** int64. */
export function topS64(p: Top, part: u32, parts: u32): void {
  top<i64>(p, part, parts, INT64);
}

/** float32. */
export function topF32(p: Top, part: u32, parts: u32): void {
  top<f32>(p, part, parts, FLOAT32);
}

/** Every element is put among those so far, behind its equals. */
function top<T>(p: Top, part: u32, parts: u32, type: u32): void {
  const bytes = <usize>bytesOf<T>(type);
  const k = p.k;
  const end = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < end; row++) {
    const x = <usize>p.x + <usize>(row * p.depth) * bytes;
    const y = <usize>p.y + <usize>(row * k) * bytes;
    const places = <usize>p.places + (<usize>(row * k) << 2);
    let count: u32 = 0;
    for (let j: u32 = 0; j < p.depth; j++) {
      const value = element<T>(type, x + <usize>j * bytes);
      if (count == k && !(value > element<T>(type, y + <usize>(k - 1) * bytes))) continue;
      let at = count < k ? count++ : k - 1;
      for (; at > 0; at--) {
        const before = element<T>(type, y + <usize>(at - 1) * bytes);
        if (!(value > before)) break;
        storeElement<T>(type, y + <usize>at * bytes, before);
        store<u32>(places + (<usize>at << 2), load<u32>(places + (<usize>(at - 1) << 2)));
      }
      storeElement<T>(type, y + <usize>at * bytes, value);
      store<u32>(places + (<usize>at << 2), j);
    }
  }
}
