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
