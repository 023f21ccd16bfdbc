/** The arithmetic of elementwise.simd.ts, sixteen pairs of int8 at a time. */
import { Add } from "./params";
import { product } from "./product.simd";
import { referenceSum } from "./sum.simd";

/** Add.form of sums: the reference's arithmetic, or from 1 on the linear form with 23 less this fraction bits. */
export const LINEAR: u32 = 1;
/** Add.form of products: the reference's arithmetic, or one float scale. Here in a range of their own. */
export const PRODUCT: u32 = 4;
export const FLOAT_PRODUCT: u32 = 5;

/** Sixteen results of the reference's arithmetic. */
// @ts-ignore: decorator
@inline export function addPairs(p: Add, u: v128, v: v128, form: u32): v128 {
  const bytes = form == PRODUCT ? product(p, u, v) : referenceSum(p, u, v);
  const block = changetype<usize>(p);
  const lo = v128.load8_splat(block, offsetof<Add>("lo"));
  return i8x16.min_s(i8x16.max_s(bytes, lo), v128.load8_splat(block, offsetof<Add>("hi")));
}
