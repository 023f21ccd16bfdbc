/** Element types by number, for kernels that take several. `bindings/primitives/elementwise/element.ts` numbers them alike. */

export const INT8: u32 = 0;
/** bool too. */
export const UINT8: u32 = 1;
export const INT16: u32 = 2;
export const UINT16: u32 = 3;
export const INT32: u32 = 4;
export const UINT32: u32 = 5;
export const INT64: u32 = 6;
export const FLOAT32: u32 = 7;
export const FLOAT64: u32 = 8;
/** Where what is written is 0 or 1. */
export const BOOL: u32 = 9;
export const FLOAT16: u32 = 10;

/** Bytes of an element. */
// @ts-ignore: decorator
@inline export function sizeOf(type: u32): usize {
  if (type == INT16 || type == UINT16 || type == FLOAT16) return 2;
  if (type == INT64 || type == FLOAT64) return 8;
  return type == INT32 || type == UINT32 || type == FLOAT32 ? 4 : 1;
}

/** An integer element. */
export function whole(type: u32, x: usize): i64 {
  switch (type) {
    case INT8: return load<i8>(x);
    case INT16: return load<i16>(x);
    case UINT16: return load<u16>(x);
    case INT32: return load<i32>(x);
    case UINT32: return load<u32>(x);
    case INT64: return load<i64>(x);
    default: return load<u8>(x);
  }
}

export function storeWhole(type: u32, y: usize, value: i64): void {
  const size = sizeOf(type);
  if (type == BOOL) store<u8>(y, value != 0);
  else if (size == 1) store<u8>(y, <u8>value);
  else if (size == 2) store<u16>(y, <u16>value);
  else if (size == 4) store<u32>(y, <u32>value);
  else store<i64>(y, value);
}

// Code that is made once for all integers has T = i64 and the type by number; for any other T the number does not count.

/** Whether T stands for any integer. */
// @ts-ignore: decorator
@inline function isAny<T>(): bool {
  return isInteger<T>() && sizeof<T>() == 8;
}

// @ts-ignore: decorator
@inline export function bytesOf<T>(type: u32): u32 {
  return isAny<T>() ? <u32>sizeOf(type) : <u32>sizeof<T>();
}

// @ts-ignore: decorator
@inline export function element<T>(type: u32, x: usize): T {
  return isAny<T>() ? <T>whole(type, x) : load<T>(x);
}

// @ts-ignore: decorator
@inline export function storeElement<T>(type: u32, y: usize, value: T): void {
  if (isAny<T>()) storeWhole(type, y, <i64>value);
  else store<T>(y, value);
}
