/** Functions of two int8 tensors, sixteen pairs at a time. */
import { Add } from "./params";
import { Reference, walkPairs } from "./runs.simd";
import { FLOAT_PRODUCT, LINEAR, PRODUCT } from "./sixteen.simd";

/** a + b, or a − b where bMultiplier is negative. */
export function add(p: Add, part: u32, parts: u32): void {
  if (p.form) walkPairs<Reference>(p, part, parts, LINEAR);
  else walkPairs<Reference>(p, part, parts, 0);
}

/** a · b. */
export function mul(p: Add, part: u32, parts: u32): void {
  if (p.form) walkPairs<Reference>(p, part, parts, FLOAT_PRODUCT);
  else walkPairs<Reference>(p, part, parts, PRODUCT);
}
