/** Copies by strides: slices, repeats, reversals, joins, and every other way to move whole elements. */
import { Strided, StridedFrom } from "./params";
import { copyBytes as copyWords } from "../common/bytes";
import { copyBytes as copyVectors } from "../common/edge.simd";
import { share } from "../common/split";
import { integerAt } from "./integer";

/** Index of the innermost loop. */
const LAST: u32 = 7;

/** Parts split the longest loop. */
export function strided(p: Strided, part: u32, parts: u32): void {
  walkAll(p, p.x, p.y, part, parts);
}

/** @full Where x or y begins is computed at run time. */
export function stridedFrom(p: StridedFrom, part: u32, parts: u32): void {
  let shift: u32 = 0;
  for (let d: u32 = 0; d < p.rank; d++) {
    const place = <usize>p.limitTable + (d << 3);
    const limit = <i64>load<u32>(place);
    let begin = integerAt(<usize>p.begins, d, p.beginBytes);
    if (p.onto == 2 && begin < 0) begin += limit + 1;
    shift += <u32>min(max(begin, 0), limit) * load<u32>(place, 4);
  }
  const ofY = p.onto == 1;
  walkAll(p, p.x + (ofY ? 0 : shift), p.y + (ofY ? shift : 0), part, parts);
}

function walkAll(p: Strided, x: u32, y: u32, part: u32, parts: u32): void {
  const sizes = changetype<usize>(p) + offsetof<Strided>("d0");
  let longest: u32 = LAST;
  for (let level: u32 = 0; level < LAST; level++)
    if (load<u32>(sizes + (level << 2)) > load<u32>(sizes + (longest << 2))) longest = level;
  walk(p, 0, x, y, longest, part, parts);
}

function walk(p: Strided, level: u32, x: u32, y: u32, split: u32, part: u32, parts: u32): void {
  const at = changetype<usize>(p) + (level << 2);
  let count = load<u32>(at, offsetof<Strided>("d0"));
  const xStep = load<u32>(at, offsetof<Strided>("x0"));
  const yStep = load<u32>(at, offsetof<Strided>("y0"));
  if (level == split) {
    const first = share(count, part, parts);
    count = share(count, part + 1, parts) - first;
    x += first * xStep;
    y += first * yStep;
  }
  if (level == LAST) return moveRow(y, x, count, yStep, xStep, p.size);
  for (; count > 0; count--) {
    walk(p, level + 1, x, y, split, part, parts);
    x += xStep;
    y += yStep;
  }
}

function moveRow(y: u32, x: u32, count: u32, yStep: u32, xStep: u32, size: u32): void {
  if (xStep == size && yStep == size) {
    if (ASC_FEATURE_SIMD) copyVectors(y, x, count * size);
    else copyWords(y, x, count * size);
  } else if (size == 1) {
    for (; count > 0; count--, x += xStep, y += yStep) store<u8>(y, load<u8>(x));
  } else if (size == 2) {
    for (; count > 0; count--, x += xStep, y += yStep) store<u16>(y, load<u16>(x));
  } else if (size == 4) {
    for (; count > 0; count--, x += xStep, y += yStep) store<u32>(y, load<u32>(x));
  } else {
    for (; count > 0; count--, x += xStep, y += yStep) {
      store<u64>(y, load<u64>(x));
      if (size == 16) store<u64>(y, load<u64>(x, 8), 8);
    }
  }
}
