/**
 * Vector constants kept in memory: V8 rebuilds a `v128.const` at every use, while a load stays in a register.
 */
const TABLE = memory.data<u32>(
  [
    0x4b400000, 0x4b400000, 0x4b400000, 0x4b400000, // f32 1.5·2^23
    0x80000000, 0, 0x80000000, 0, // i64 2^31
    0x80000000, 0x80000000, 0x80000000, 0x80000000, // f32 sign bits
    0x80808080, 0x80808080, 0x80808080, 0x80808080, // top bit of every byte
  ],
  16,
);

/** f32 1.5·2^23: adding it rounds to the nearest integer, ties to even, and leaves that integer in the low bits. */
// @ts-ignore: decorator
@inline export function magic(): v128 {
  return v128.load(TABLE);
}

/** i64 2^31: half a unit of the high word. */
// @ts-ignore: decorator
@inline export function half64(): v128 {
  return v128.load(TABLE, 16);
}

/** The sign bit of every f32. */
// @ts-ignore: decorator
@inline export function signBits(): v128 {
  return v128.load(TABLE, 32);
}

/** The top bit of every byte: int8 to uint8 by xor. */
// @ts-ignore: decorator
@inline export function topBits(): v128 {
  return v128.load(TABLE, 48);
}
