/**
 * How vectors of sixteen int8 walk two operands: runs along the last dimension, where an operand's stride is 0 or 1; the rows of
 * the dimension before follow each other without division.
 */
import { Add, Nearest, Pairs } from "./params";
import { runEnd, runStart, walkOperand } from "./broadcast";
import { nearestPairs } from "./rint.simd";
import { floatProducts, linearSums, plainSums } from "./rows.simd";
import { addPairs, FLOAT_PRODUCT, LINEAR } from "./sixteen.simd";
import { load16, store16 } from "../common/edge.simd";

/** Whose arithmetic it is: TensorFlow Lite's, of `Add`, or onnxruntime's, of `Nearest`, in general or in float32. */
export class Reference {}
export class Rint {}
export class Plain {}

/** All runs of this part; `form` chooses among the ways of `A`. */
// @ts-ignore: decorator
@inline export function walkPairs<A>(p: Pairs, part: u32, parts: u32, form: u32): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  while (i < end) {
    let a = walkOperand(p, i, true);
    let b = walkOperand(p, i, false);
    let column = i % p.d5;
    for (let row = (i / p.d5) % p.d4; row < p.d4 && i < end; ) {
      const count = min(p.d5 - column, end - i);
      // whole rows together
      const rows = isHoisted<A>(form) && count == p.d5 ? min(p.d4 - row, (end - i) / count) : 1;
      run<A>(p, a, b, <usize>p.y + i, count, rows, form);
      a += p.a4 * rows - column * p.a5;
      b += p.b4 * rows - column * p.b5;
      column = 0;
      i += count * rows;
      row += rows;
    }
  }
}

/** Whether these have a loop of their own over rows. */
// @ts-ignore: decorator
@inline function isHoisted<A>(form: u32): bool {
  return idof<A>() == idof<Plain>() || (idof<A>() == idof<Reference>() && (form == FLOAT_PRODUCT || form == LINEAR));
}

// @ts-ignore: decorator
@inline function run<A>(p: Pairs, a: usize, b: usize, y: usize, count: u32, rows: u32, form: u32): void {
  if (isHoisted<A>(form)) {
    const block = changetype<Add>(changetype<usize>(p));
    if (idof<A>() == idof<Plain>()) plainSums(changetype<Nearest>(changetype<usize>(p)), a, b, y, count, rows);
    else if (form == FLOAT_PRODUCT) floatProducts(block, a, b, y, count, rows);
    else linearSums(block, a, b, y, count, rows);
    return;
  }
  let u = v128.load8_splat(a);
  let v = v128.load8_splat(b);
  while (count) {
    const n = min(count, 16);
    if (p.a5) u = load16(a, n);
    if (p.b5) v = load16(b, n);
    store16(y, sixteen<A>(p, u, v, form), n);
    a += p.a5 << 4;
    b += p.b5 << 4;
    y += 16;
    count -= n;
  }
}

// @ts-ignore: decorator
@inline function sixteen<A>(p: Pairs, u: v128, v: v128, form: u32): v128 {
  const block = changetype<usize>(p);
  if (idof<A>() == idof<Rint>()) return nearestPairs(changetype<Nearest>(block), u, v, form);
  return addPairs(changetype<Add>(block), u, v, form);
}
