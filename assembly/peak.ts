/**
 * The ceiling of an engine on a machine: multiply-accumulates on registers, no load in the loop. The relaxed dot product
 * adds to its own accumulator, so twelve of them hide its latency (69 against 54 GMAC/s with eight). The others multiply
 * each accumulator by a constant and add the product to it: products of operands that stay, or that trade places, are computed once for
 * several rounds when the engine unrolls the loop (V8 then shows 34 to 39 GMAC/s where the processor can do 25).
 */

/** Multiply-accumulates of one round of this build. */
export function macsPerRound(): u32 {
  if (ASC_FEATURE_RELAXED_SIMD) return 12 * 16;
  return ASC_FEATURE_SIMD ? 12 * 8 : 12 * 3;
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
  const b = v128.load(32);
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
    r0 = i32x4.add(r0, i32x4.dot_i16x8_s(r0, b));
    r1 = i32x4.add(r1, i32x4.dot_i16x8_s(r1, b));
    r2 = i32x4.add(r2, i32x4.dot_i16x8_s(r2, b));
    r3 = i32x4.add(r3, i32x4.dot_i16x8_s(r3, b));
    r4 = i32x4.add(r4, i32x4.dot_i16x8_s(r4, b));
    r5 = i32x4.add(r5, i32x4.dot_i16x8_s(r5, b));
    r6 = i32x4.add(r6, i32x4.dot_i16x8_s(r6, b));
    r7 = i32x4.add(r7, i32x4.dot_i16x8_s(r7, b));
    r8 = i32x4.add(r8, i32x4.dot_i16x8_s(r8, b));
    r9 = i32x4.add(r9, i32x4.dot_i16x8_s(r9, b));
    r10 = i32x4.add(r10, i32x4.dot_i16x8_s(r10, b));
    r11 = i32x4.add(r11, i32x4.dot_i16x8_s(r11, b));
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

function lanes(rounds: u32): i32 {
  const b = load<i64>(16);
  let r0 = load<i64>(96);
  let r1 = load<i64>(104);
  let r2 = load<i64>(112);
  let r3 = load<i64>(120);
  let r4 = load<i64>(128);
  let r5 = load<i64>(136);
  let r6 = load<i64>(144);
  let r7 = load<i64>(152);
  let r8 = load<i64>(160);
  let r9 = load<i64>(168);
  let r10 = load<i64>(176);
  let r11 = load<i64>(184);
  for (; rounds; rounds--) {
    r0 += r0 * b;
    r1 += r1 * b;
    r2 += r2 * b;
    r3 += r3 * b;
    r4 += r4 * b;
    r5 += r5 * b;
    r6 += r6 * b;
    r7 += r7 * b;
    r8 += r8 * b;
    r9 += r9 * b;
    r10 += r10 * b;
    r11 += r11 * b;
  }
  return <i32>(r0 + r1 + r2 + r3 + r4 + r5 + r6 + r7 + r8 + r9 + r10 + r11);
}
