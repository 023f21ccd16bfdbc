import { Pad } from "./params";
import { copyBytes, fillElements } from "../common/bytes";
import { share } from "../common/split";

/**
 * Writes y once, in order: the value up to the next row of x, the row, and so on. A part owns a range of y's elements
 * and clips the rows to it, so that parts never write the same byte.
 */
export function pad(p: Pad, part: u32, parts: u32): void {
  const size = p.size;
  const elements = p.yBytes / size;
  const start = share(elements, part, parts) * size;
  const end = share(elements, part + 1, parts) * size;
  const rows = p.d0 * p.d1 * p.d2 * p.d3 * p.d4;
  let done = start;
  for (let row: u32 = 0; row < rows; row++) {
    const from = target(p, row);
    if (from >= end) break;
    const stop = min(from + p.bytes, end);
    if (stop <= done) continue;
    const first = max(from, done);
    fillElements(<usize>p.y + done, <usize>p.y + first, p.value, size);
    copyBytes(<usize>p.y + first, <usize>p.x + row * p.bytes + (first - from), stop - first);
    done = stop;
  }
  fillElements(<usize>p.y + done, <usize>p.y + end, p.value, size);
}

/** Byte offset in y of a row of x; offsets grow with the row. */
export function target(p: Pad, row: u32): u32 {
  let next = row / p.d4;
  let at = (row - next * p.d4) * p.y4;
  let rest = next / p.d3;
  at += (next - rest * p.d3) * p.y3;
  next = rest / p.d2;
  at += (rest - next * p.d2) * p.y2;
  rest = next / p.d1;
  at += (next - rest * p.d1) * p.y1;
  return p.offset + at + rest * p.y0;
}
