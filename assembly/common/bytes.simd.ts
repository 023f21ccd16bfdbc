/** Short runs of bytes. Nothing is read outside the source, nothing written outside the target. */

/** Copies `length` bytes; the last ones may be written twice. */
export function copyRun(target: usize, source: usize, length: u32): void {
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

/** Copies `count` runs of `length` bytes, `step` apart, to targets `stride` apart. */
export function copyRuns(target: usize, stride: usize, source: usize, step: usize, count: u32, length: u32): void {
  if (length == 4) {
    for (; count; count--) {
      store<u32>(target, load<u32>(source));
      source += step;
      target += stride;
    }
  } else if (length == 3) {
    for (; count; count--) {
      store<u16>(target, load<u16>(source));
      store<u8>(target, load<u8>(source, 2), 2);
      source += step;
      target += stride;
    }
  } else if (length >= 8 && length <= 16) {
    const last = <usize>length - 8;
    for (; count; count--) {
      store<u64>(target, load<u64>(source));
      store<u64>(target + last, load<u64>(source + last));
      source += step;
      target += stride;
    }
  } else {
    for (; count; count--) {
      copyRun(target, source, length);
      source += step;
      target += stride;
    }
  }
}

/** Stores `length` copies of a byte. */
export function fillRun(target: usize, value: i32, length: u32): void {
  const v = i8x16.splat(<i8>value);
  for (; length >= 16; length -= 16) {
    v128.store(target, v);
    target += 16;
  }
  for (; length; length--) store<i8>(target++, <i8>value);
}

/** Stores the low `count` (0 to 8) bytes of one half of v. */
export function storeBytes(target: usize, v: v128, count: u32): void {
  let bytes = i64x2.extract_lane(v, 0);
  for (; count; count--) {
    store<u8>(target++, <u8>bytes);
    bytes >>= 8;
  }
}
