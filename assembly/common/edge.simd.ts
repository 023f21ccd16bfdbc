/** Loads and stores of fewer than sixteen bytes, and copies by sixteen: nothing outside the range is touched. */

/** The `count` (1 to 16) bytes at `x`; lanes above them are 0. */
// @ts-ignore: decorator
@inline export function load16(x: usize, count: u32): v128 {
  return count == 16 ? v128.load(x) : loadPart(x, count);
}

/** Stores the low `count` (1 to 16) bytes of v. */
// @ts-ignore: decorator
@inline export function store16(y: usize, v: v128, count: u32): void {
  if (count == 16) v128.store(y, v);
  else storePart(y, v, count);
}

/** `load16` of whole float32 and without a call: around one, loops keep what they hold in memory. */
// @ts-ignore: decorator
@inline export function loadFloats(x: usize, count: u32): v128 {
  if (count == 16) return v128.load(x);
  if (count == 4) return v128.load32_zero(x);
  const low = v128.load64_zero(x);
  return count == 8 ? low : v128.load32_lane(x, low, 2, 8);
}

/** `store16` of whole float32 and without a call. */
// @ts-ignore: decorator
@inline export function storeFloats(y: usize, v: v128, count: u32): void {
  if (count == 16) v128.store(y, v);
  else if (count == 4) v128.store32_lane(y, v, 0);
  else {
    v128.store64_lane(y, v, 0);
    if (count == 12) v128.store32_lane(y, v, 2, 8);
  }
}

/** `load16` of fewer than sixteen, which are often eight. */
// @ts-ignore: decorator
@inline export function loadFew(x: usize, count: u32): v128 {
  return count == 8 ? v128.load64_zero(x) : loadPart(x, count);
}

/** `store16` of fewer than sixteen, which are often eight. */
// @ts-ignore: decorator
@inline export function storeFew(y: usize, v: v128, count: u32): void {
  if (count == 8) v128.store64_lane(y, v, 0);
  else storePart(y, v, count);
}

/** `load16` of fewer than sixteen. */
export function loadPart(x: usize, count: u32): v128 {
  const last = x + count;
  if (count >= 8) {
    const low = v128.load64_zero(x);
    return count == 8 ? low : i64x2.replace_lane(low, 1, load<i64>(last - 8) >>> ((16 - count) << 3));
  }
  let low: u64;
  if (count >= 4) low = <u64>load<u32>(x) | (<u64>load<u32>(last - 4) << ((count - 4) << 3));
  else {
    const middle = count >>> 1;
    low = <u64>load<u8>(x) | (<u64>load<u8>(x + middle) << (middle << 3)) | (<u64>load<u8>(last - 1) << ((count - 1) << 3));
  }
  return i64x2.replace_lane(i64x2.splat(0), 0, low);
}

/** `store16` of fewer than sixteen. */
export function storePart(y: usize, v: v128, count: u32): void {
  let low = <u64>i64x2.extract_lane(v, 0);
  if (count & 8) {
    store<u64>(y, low);
    low = <u64>i64x2.extract_lane(v, 1);
    y += 8;
  }
  if (count & 4) {
    store<u32>(y, <u32>low);
    low >>= 32;
    y += 4;
  }
  if (count & 2) {
    store<u16>(y, <u16>low);
    low >>= 16;
    y += 2;
  }
  if (count & 1) store<u8>(y, <u8>low);
}

/** Copies `count` bytes upwards; y and x do not overlap. */
export function copyBytes(y: usize, x: usize, count: u32): void {
  for (; count >= 16; count -= 16) {
    v128.store(y, v128.load(x));
    x += 16;
    y += 16;
  }
  if (count & 8) {
    store<u64>(y, load<u64>(x));
    x += 8;
    y += 8;
  }
  if (count & 4) {
    store<u32>(y, load<u32>(x));
    x += 4;
    y += 4;
  }
  if (count & 2) {
    store<u16>(y, load<u16>(x));
    x += 2;
    y += 2;
  }
  if (count & 1) store<u8>(y, load<u8>(x));
}
