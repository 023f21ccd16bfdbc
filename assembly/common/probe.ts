/**
 * What `i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x)` does where x has its top bit set, which the specification leaves
 * open. Operands come from memory, so that no compiler can answer in the engine's place.
 *
 *   usdot  x counts as unsigned:  127·255·4 =  129540 and −128·255·4 = −130560  (x86 with AVX-VNNI)
 *   sdot   x counts as signed:    127·−1·4  =    −508 and −128·−1·4  =     512  (ARM dot product)
 *   else   sums saturate at 16 bits on the way: not exact
 */
const OPERANDS = memory.data<u32>(
  [
    0x7f7f7f7f, 0x7f7f7f7f, 0x7f7f7f7f, 0x7f7f7f7f, // 127
    0x80808080, 0x80808080, 0x80808080, 0x80808080, // −128
    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, // 255 or −1
  ],
  16,
);

export const USDOT = 1;
export const SDOT = 2;

export function dotProductKind(): i32 {
  const x = v128.load(OPERANDS, 32);
  const zero = i32x4.splat(0);
  const a = i32x4.extract_lane(i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(OPERANDS), x, zero), 0);
  const b = i32x4.extract_lane(i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(OPERANDS, 16), x, zero), 0);
  if (a == 129540 && b == -130560) return USDOT;
  if (a == -508 && b == 512) return SDOT;
  return -1;
}

/** The mask that brings activations to what the dot product multiplies: the top bit of every byte, or nothing. */
// @ts-ignore: decorator
@inline export function activationMask(): v128 {
  const x = v128.load(OPERANDS, 32);
  const a = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(OPERANDS), x, i32x4.splat(0));
  return v128.and(i32x4.gt_s(a, i32x4.splat(0)), v128.load(OPERANDS, 16));
}
