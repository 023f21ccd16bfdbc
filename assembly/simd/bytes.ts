/**
 * Rows of activations in the form that the dot product takes: int16 for `i32x4.dot_i16x8_s`, bytes as they are for the
 * relaxed one. Nothing is read outside the source, nothing written outside the target.
 */

/** Bytes of one activation in a packed row. */
export const LANE: usize = ASC_FEATURE_RELAXED_SIMD ? 1 : 2;

/** Packs `length` activations. */
// @ts-ignore: decorator
@inline export function pack(target: usize, source: usize, length: u32): void {
  if (ASC_FEATURE_RELAXED_SIMD) copyBytes(target, source, length);
  else widen(target, source, length);
}

/** Packs `length` times one value. */
// @ts-ignore: decorator
@inline export function packFill(target: usize, value: i32, length: u32): void {
  if (ASC_FEATURE_RELAXED_SIMD) fill8(target, value, length);
  else fill16(target, value, length);
}

/**
 * Packs `count` runs of `length` activations, `step` bytes apart, to targets `stride` bytes apart.
 */
export function packRun(target: usize, stride: usize, source: usize, step: usize, count: u32, length: u32): void {
  if (length == 4) {
    for (; count; count--) {
      if (ASC_FEATURE_RELAXED_SIMD) store<u32>(target, load<u32>(source));
      else v128.store64_lane(target, i16x8.extend_low_i8x16_s(v128.load32_zero(source)), 0);
      source += step;
      target += stride;
    }
  } else if (length >= 8 && length <= 16) {
    const last = <usize>length - 8;
    const lastTarget = last * LANE;
    for (; count; count--) {
      if (ASC_FEATURE_RELAXED_SIMD) {
        store<u64>(target, load<u64>(source));
        store<u64>(target + lastTarget, load<u64>(source + last));
      } else {
        v128.store(target, v128.load8x8_s(source));
        v128.store(target + lastTarget, v128.load8x8_s(source + last));
      }
      source += step;
      target += stride;
    }
  } else {
    for (; count; count--) {
      pack(target, source, length);
      source += step;
      target += stride;
    }
  }
}

function copyBytes(target: usize, source: usize, length: u32): void {
  if (length >= 16) {
    const last = source + length - 16;
    const lastTarget = target + length - 16;
    while (source < last) {
      v128.store(target, v128.load(source));
      source += 16;
      target += 16;
    }
    v128.store(lastTarget, v128.load(last));
  } else if (length >= 8) {
    store<u64>(target, load<u64>(source));
    store<u64>(target + length - 8, load<u64>(source + length - 8));
  } else if (length >= 4) {
    store<u32>(target, load<u32>(source));
    store<u32>(target + length - 4, load<u32>(source + length - 4));
  } else {
    for (; length; length--) store<u8>(target++, load<u8>(source++));
  }
}

function fill8(target: usize, value: i32, length: u32): void {
  const v = i8x16.splat(<i8>value);
  for (; length >= 16; length -= 16) {
    v128.store(target, v);
    target += 16;
  }
  for (; length; length--) store<i8>(target++, <i8>value);
}

/** Widens `length` int8 values from `source` to `target`. */
export function widen(target: usize, source: usize, length: u32): void {
  if (length >= 8) {
    const last = source + length - 8;
    const lastTarget = target + ((length - 8) << 1);
    while (source < last) {
      v128.store(target, v128.load8x8_s(source));
      source += 8;
      target += 16;
    }
    v128.store(lastTarget, v128.load8x8_s(last));
    return;
  }
  if (length >= 4) {
    v128.store64_lane(target, i16x8.extend_low_i8x16_s(v128.load32_zero(source)), 0);
    source += length - 4;
    target += (length - 4) << 1;
    v128.store64_lane(target, i16x8.extend_low_i8x16_s(v128.load32_zero(source)), 0);
    return;
  }
  for (; length; length--) {
    store<i16>(target, load<i8>(source));
    source++;
    target += 2;
  }
}

/** Stores `length` copies of an int16 value. */
function fill16(target: usize, value: i32, length: u32): void {
  const v = i16x8.splat(<i16>value);
  for (; length >= 8; length -= 8) {
    v128.store(target, v);
    target += 16;
  }
  for (; length; length--) {
    store<i16>(target, <i16>value);
    target += 2;
  }
}

/** Stores the low `count` (0 to 8) bytes of one half of v. */
export function storeBytes(target: usize, v: v128, count: u32): void {
  let bytes = i64x2.extract_lane(v, 0);
  for (; count; count--) {
    store<u8>(target++, <u8>bytes);
    bytes >>= 8;
  }
}
