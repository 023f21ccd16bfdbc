/** int8 sums and products by onnxruntime's rule, sixteen pairs at a time (@full); see nearest.ts. */
import { Nearest } from "./params";
import { FLOAT_PRODUCT, FLOATS, PLAIN, PRODUCT } from "./rint.simd";
import { Plain, Rint, walkPairs } from "./runs.simd";

/** y = rint(f32(a·aScale + f32(b·bScale + offset))), or rint((a·aScale + b·bScale) / yScale). */
export function addNearest(p: Nearest, part: u32, parts: u32): void {
  if (p.form == PLAIN) walkPairs<Plain>(p, part, parts, PLAIN);
  else walk(p, part, parts, p.form);
}

/** y = rint(f32(f32(a·b·aScale) + offset)), or rint(a·aScale·(b·bScale) / yScale). */
export function mulNearest(p: Nearest, part: u32, parts: u32): void {
  walk(p, part, parts, p.form == FLOATS ? FLOAT_PRODUCT : PRODUCT);
}

function walk(p: Nearest, part: u32, parts: u32, form: u32): void {
  walkPairs<Rint>(p, part, parts, form);
}
