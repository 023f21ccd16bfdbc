/**
 * The ceiling of an engine on a machine: multiply-accumulates on registers, no load in the loop. The relaxed dot product
 * adds to its own accumulator, so twelve of them hide its latency (69 against 54 GMAC/s with eight). The others multiply
 * 2×3 operands that trade places every round, so that no product can be moved out of the loop; eight accumulators spill in
 * older V8 (33 against 24).
 */

/** Multiply-accumulates of one round of this build. */
export function macsPerRound(): u32 {
  if (ASC_FEATURE_RELAXED_SIMD) return 12 * 16;
  return ASC_FEATURE_SIMD ? 6 * 8 : 6 * 3;
}

/** `rounds` rounds of relaxed dot products, int16 dot products, or three 21-bit lanes of an i64. */
export function peak(rounds: u32): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) return relaxed(rounds);
  return ASC_FEATURE_SIMD ? simd(rounds) : lanes(rounds);
}

function relaxed(rounds: u32): i32 {
  const a = v128.load(0);
  const b = v128.load(16);
  let r0 = v128.load(96);
  let r1 = v128.load(112);
  let r2 = v128.load(128);
  let r3 = v128.load(144);
  let r4 = v128.load(160);
  let r5 = v128.load(176);
  let r6 = v128.load(192);
  let r7 = v128.load(208);
  let r8 = v128.load(224);
  let r9 = v128.load(240);
  let r10 = v128.load(256);
  let r11 = v128.load(272);
  for (; rounds; rounds--) {
    r0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r0);
    r1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r1);
    r2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r2);
    r3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r3);
    r4 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r4);
    r5 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r5);
    r6 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r6);
    r7 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r7);
    r8 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r8);
    r9 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r9);
    r10 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r10);
    r11 = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, r11);
  }
  r0 = i32x4.add(r0, r1);
  r0 = i32x4.add(r0, r2);
  r0 = i32x4.add(r0, r3);
  r0 = i32x4.add(r0, r4);
  r0 = i32x4.add(r0, r5);
  r0 = i32x4.add(r0, r6);
  r0 = i32x4.add(r0, r7);
  r0 = i32x4.add(r0, r8);
  r0 = i32x4.add(r0, r9);
  r0 = i32x4.add(r0, r10);
  r0 = i32x4.add(r0, r11);
  return i32x4.extract_lane(r0, 0);
}

function simd(rounds: u32): i32 {
  let a0 = v128.load(0);
  let a1 = v128.load(16);
  const b0 = v128.load(32);
  const b1 = v128.load(48);
  const b2 = v128.load(64);
  let r0 = v128.load(96);
  let r1 = v128.load(112);
  let r2 = v128.load(128);
  let r3 = v128.load(144);
  let r4 = v128.load(160);
  let r5 = v128.load(176);
  for (; rounds; rounds--) {
    r0 = i32x4.add(r0, i32x4.dot_i16x8_s(a0, b0));
    r1 = i32x4.add(r1, i32x4.dot_i16x8_s(a1, b0));
    r2 = i32x4.add(r2, i32x4.dot_i16x8_s(a0, b1));
    r3 = i32x4.add(r3, i32x4.dot_i16x8_s(a1, b1));
    r4 = i32x4.add(r4, i32x4.dot_i16x8_s(a0, b2));
    r5 = i32x4.add(r5, i32x4.dot_i16x8_s(a1, b2));
    const a = a0;
    a0 = a1;
    a1 = a;
  }
  r0 = i32x4.add(r0, r1);
  r0 = i32x4.add(r0, r2);
  r0 = i32x4.add(r0, r3);
  r0 = i32x4.add(r0, r4);
  r0 = i32x4.add(r0, r5);
  return i32x4.extract_lane(r0, 0);
}

function lanes(rounds: u32): i32 {
  let a0 = load<i64>(0);
  let a1 = load<i64>(8);
  const b0 = load<i64>(16);
  const b1 = load<i64>(24);
  const b2 = load<i64>(32);
  let r0: i64 = 0;
  let r1: i64 = 1;
  let r2: i64 = 2;
  let r3: i64 = 3;
  let r4: i64 = 4;
  let r5: i64 = 5;
  for (; rounds; rounds--) {
    r0 += a0 * b0;
    r1 += a1 * b0;
    r2 += a0 * b1;
    r3 += a1 * b1;
    r4 += a0 * b2;
    r5 += a1 * b2;
    const a = a0;
    a0 = a1;
    a1 = a;
  }
  return <i32>(r0 + r1 + r2 + r3 + r4 + r5);
}
