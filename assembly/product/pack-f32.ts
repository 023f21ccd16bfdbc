/** Rows and panels as the float tiles take them: four rows side by side, [k][4], and eight columns, [k][8]; 4 bytes an element. */

/** Interleaves `count` elements of four rows. */
export function interleaveFour(target: usize, s0: usize, s1: usize, s2: usize, s3: usize, count: u32): void {
  if (ASC_FEATURE_SIMD) {
    for (; count >= 4; count -= 4) {
      const a = v128.load(s0);
      const b = v128.load(s1);
      const c = v128.load(s2);
      const d = v128.load(s3);
      const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
      const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5);
      v128.store(target, i64x2.shuffle(ab0, cd0, 0, 2));
      v128.store(target, i64x2.shuffle(ab0, cd0, 1, 3), 16);
      const ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7);
      const cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
      v128.store(target, i64x2.shuffle(ab1, cd1, 0, 2), 32);
      v128.store(target, i64x2.shuffle(ab1, cd1, 1, 3), 48);
      s0 += 16;
      s1 += 16;
      s2 += 16;
      s3 += 16;
      target += 64;
    }
  }
  for (; count; count--) {
    store<u32>(target, load<u32>(s0));
    store<u32>(target, load<u32>(s1), 4);
    store<u32>(target, load<u32>(s2), 8);
    store<u32>(target, load<u32>(s3), 12);
    s0 += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
    target += 16;
  }
}

/** The same where elements of a row are `step` bytes apart. */
export function interleaveSpread(target: usize, s0: usize, s1: usize, s2: usize, s3: usize, count: u32, step: usize): void {
  for (let at: usize = 0; count; count--) {
    store<u32>(target, load<u32>(s0 + at));
    store<u32>(target, load<u32>(s1 + at), 4);
    store<u32>(target, load<u32>(s2 + at), 8);
    store<u32>(target, load<u32>(s3 + at), 12);
    at += step;
    target += 16;
  }
}

/** `width` columns of B as a panel, zeros beyond them. */
export function packPanel(target: usize, b: usize, k: u32, step: usize, column: usize, width: u32): void {
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
