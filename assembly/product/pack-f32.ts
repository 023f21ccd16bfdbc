/** Operands of the float products that do not stand as the tiles take them. */

/** `count` floats that are `step` bytes apart, side by side. */
export function gatherRow(target: usize, x: usize, count: u32, step: usize): void {
  for (; count; count--) {
    store<u32>(target, load<u32>(x));
    x += step;
    target += 4;
  }
}

/** `width` columns of B as a panel [k][8], zeros beyond them: `step` bytes between its k's, `column` between its columns. */
export function packPanel(target: usize, b: usize, k: u32, step: usize, column: usize, width: u32): void {
  if (ASC_FEATURE_SIMD && width == 8) {
    if (column == 4) {
      for (; k; k--) {
        v128.store(target, v128.load(b));
        v128.store(target, v128.load(b, 16), 16);
        b += step;
        target += 32;
      }
      return;
    }
    if (step == 4) {
      const whole = k & ~3;
      turnFour(target, b, whole, column, 32);
      turnFour(target + 16, b + 4 * column, whole, column, 32);
      b += <usize>whole << 2;
      target += <usize>whole << 5;
      k &= 3;
    }
  }
  for (let i: u32 = 0; i < 8; i++) {
    let from = b + <usize>i * column;
    let to = target + (<usize>i << 2);
    const inside = i < width;
    for (let left = k; left; left--) {
      store<u32>(to, inside ? load<u32>(from) : 0);
      from += step;
      to += 32;
    }
  }
}

/** A panel of int8 pairs, [k][8][2], as int16. */
export function widenPairs(target: usize, b: usize, k: u32): void {
  for (const end = b + (<usize>k << 4); b < end; ) {
    if (ASC_FEATURE_SIMD) {
      v128.store(target, v128.load8x8_s(b));
      b += 8;
      target += 16;
    } else {
      store<i16>(target, load<i8>(b));
      b++;
      target += 2;
    }
  }
}

/** Four columns, each `count` floats side by side, a multiple of four: as rows of four that are `by` bytes apart. */
export function turnFour(target: usize, b: usize, count: u32, column: usize, by: usize): void {
  for (; count; count -= 4) {
    const s0 = v128.load(b);
    const s1 = v128.load(b + column);
    const s2 = v128.load(b + 2 * column);
    const s3 = v128.load(b + 3 * column);
    const low0 = i32x4.shuffle(s0, s1, 0, 4, 1, 5);
    const low1 = i32x4.shuffle(s2, s3, 0, 4, 1, 5);
    const high0 = i32x4.shuffle(s0, s1, 2, 6, 3, 7);
    const high1 = i32x4.shuffle(s2, s3, 2, 6, 3, 7);
    v128.store(target, i64x2.shuffle(low0, low1, 0, 2));
    v128.store(target + by, i64x2.shuffle(low0, low1, 1, 3));
    target += 2 * by;
    v128.store(target, i64x2.shuffle(high0, high1, 0, 2));
    v128.store(target + by, i64x2.shuffle(high0, high1, 1, 3));
    target += 2 * by;
    b += 16;
  }
}
