/** Functions of two int8 tensors, sixteen pairs at a time. */
import { Add } from "./params";
import { Reference, walkPairs } from "./runs.simd";
import { FLOAT_PRODUCT, LINEAR_21, LINEAR_22, PRODUCT } from "./sixteen.simd";

/** a + b, or a − b where bMultiplier is negative. */
export function add(p: Add, part: u32, parts: u32): void {
  if (p.form == LINEAR_22) walkPairs<Reference>(p, part, parts, LINEAR_22);
  else if (p.form == LINEAR_21) walkPairs<Reference>(p, part, parts, LINEAR_21);
  else walkPairs<Reference>(p, part, parts, 0);
}

/** a · b. */
export function mul(p: Add, part: u32, parts: u32): void {
  if (p.form) walkPairs<Reference>(p, part, parts, FLOAT_PRODUCT);
  else walkPairs<Reference>(p, part, parts, PRODUCT);
}
