/** The arithmetic of elementwise.simd.ts, sixteen pairs of int8 at a time. */
import { Add } from "./params";
import { product } from "./product.simd";
import { linearSum, referenceSum } from "./sum.simd";

/** Add.form of sums: the reference's arithmetic, or the linear form with 22 or 21 fraction bits. */
export const LINEAR_22: u32 = 1;
export const LINEAR_21: u32 = 2;
/** Add.form of products: the reference's arithmetic, or one float scale. Here in a range of their own. */
export const PRODUCT: u32 = 4;
export const FLOAT_PRODUCT: u32 = 5;

/** Sixteen results. */
// @ts-ignore: decorator
@inline export function addPairs(p: Add, u: v128, v: v128, form: u32): v128 {
  let bytes: v128;
  if (form == LINEAR_22) bytes = linearSum(p, u, v, 22);
  else if (form == LINEAR_21) bytes = linearSum(p, u, v, 21);
  else if (form == PRODUCT) bytes = product(p, u, v, false);
  else if (form == FLOAT_PRODUCT) bytes = product(p, u, v, true);
  else bytes = referenceSum(p, u, v);
  const block = changetype<usize>(p);
  const lo = v128.load8_splat(block, offsetof<Add>("lo"));
  return i8x16.min_s(i8x16.max_s(bytes, lo), v128.load8_splat(block, offsetof<Add>("hi")));
}
