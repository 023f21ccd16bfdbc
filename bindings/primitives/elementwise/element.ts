/** Element types by number, as `assembly/common/element.ts` has them. */
import type { DType } from "../../tensor.ts";

/** Types that kernels of several element types take. */
export const ELEMENT = {
  int8: 0,
  uint8: 1,
  int16: 2,
  uint16: 3,
  int32: 4,
  uint32: 5,
  int64: 6,
  float32: 7,
  float64: 8,
  bool: 9,
  float16: 10,
} as const satisfies { readonly [D in DType]?: number };

/** A type with a number. */
export type Element = keyof typeof ELEMENT;

/** All of them. */
export const ELEMENTS = Object.keys(ELEMENT) as readonly Element[];

/** Types of whole numbers that are taken as they are; bool counts as 0 and 1. */
export const INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"] as const;
