/** int8 to int16, which `i32x4.dot_i16x8_s` takes. */

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

/** Widens `bytes` of a panel. */
// @ts-ignore: decorator
@inline export function widenPanel(target: usize, source: usize, bytes: usize): void {
  for (const end = source + bytes; source < end; source += 16) {
    v128.store(target, v128.load8x8_s(source));
    v128.store(target, v128.load8x8_s(source, 8), 16);
    target += 32;
  }
}
