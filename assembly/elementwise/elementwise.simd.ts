/**
 * Functions of two int8 tensors, sixteen pairs at a time. Runs along the last dimension, where an operand's stride is 0
 * or 1; the rows of the dimension before follow each other without division.
 */
import { Add } from "./params";
import { runEnd, runStart, walkOperand } from "./broadcast";
import { linearSum, referenceSum } from "./sum.simd";
import { load16, store16 } from "../common/edge.simd";
import { product } from "./product.simd";

/** Add.form of sums: the reference's arithmetic, or the linear form with 22 or 21 fraction bits. */
const LINEAR_22: u32 = 1;
const LINEAR_21: u32 = 2;
/** Add.form of products: the reference's arithmetic, or one float scale. Here in a range of their own. */
const PRODUCT: u32 = 4;
const FLOAT_PRODUCT: u32 = 5;

/** a + b, or a − b where bMultiplier is negative. */
export function add(p: Add, part: u32, parts: u32): void {
  if (p.form == LINEAR_22) walk(p, part, parts, LINEAR_22);
  else if (p.form == LINEAR_21) walk(p, part, parts, LINEAR_21);
  else walk(p, part, parts, 0);
}

/** a · b. */
export function mul(p: Add, part: u32, parts: u32): void {
  if (p.form) walk(p, part, parts, FLOAT_PRODUCT);
  else walk(p, part, parts, PRODUCT);
}

// @ts-ignore: decorator
@inline function walk(p: Add, part: u32, parts: u32, form: u32): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  while (i < end) {
    let a = walkOperand(p, i, true);
    let b = walkOperand(p, i, false);
    let column = i % p.d5;
    for (let row = (i / p.d5) % p.d4; row < p.d4 && i < end; row++) {
      const count = min(p.d5 - column, end - i);
      run(p, a, b, <usize>p.y + i, count, form);
      a += p.a4 - column * p.a5;
      b += p.b4 - column * p.b5;
      column = 0;
      i += count;
    }
  }
}

// @ts-ignore: decorator
@inline function run(p: Add, a: usize, b: usize, y: usize, count: u32, form: u32): void {
  let u = v128.load8_splat(a);
  let v = v128.load8_splat(b);
  while (count) {
    const n = min(count, 16);
    if (p.a5) u = load16(a, n);
    if (p.b5) v = load16(b, n);
    store16(y, sixteen(p, u, v, form), n);
    a += p.a5 << 4;
    b += p.b5 << 4;
    y += 16;
    count -= n;
  }
}

// @ts-ignore: decorator
@inline function sixteen(p: Add, u: v128, v: v128, form: u32): v128 {
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
