import { Pad } from "./params";
import { target } from "./pad";
import { share } from "../common/split";
import { copyBytes, store16 } from "../common/edge.simd";

/** As the portable kernel, with moves of sixteen bytes. */
export function pad(p: Pad, part: u32, parts: u32): void {
  const size = p.size;
  const elements = p.yBytes / size;
  const start = share(elements, part, parts) * size;
  const end = share(elements, part + 1, parts) * size;
  const rows = p.d0 * p.d1 * p.d2 * p.d3 * p.d4;
  const value = repeated(p.value, size);
  let done = start;
  let from: u32 = 0;
  let beside: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    from = beside ? from + p.y4 : target(p, row);
    beside = (beside ? beside : p.d4) - 1;
    if (from >= end) break;
    const stop = min(from + p.bytes, end);
    if (stop <= done) continue;
    const first = max(from, done);
    fill(<usize>p.y + done, value, first - done);
    copyBytes(<usize>p.y + first, <usize>p.x + row * p.bytes + (first - from), stop - first);
    done = stop;
  }
  fill(<usize>p.y + done, value, end - done);
}

/** The element of 1, 2, 4, 8 or 16 bytes at `value`, repeated to 16. */
function repeated(value: usize, size: u32): v128 {
  if (size == 1) return v128.load8_splat(value);
  if (size == 2) return v128.load16_splat(value);
  if (size == 4) return v128.load32_splat(value);
  if (size == 8) return v128.load64_splat(value);
  return v128.load(value);
}

// @ts-ignore: decorator
@inline function fill(y: usize, value: v128, count: u32): void {
  for (; count >= 16; count -= 16) {
    v128.store(y, value);
    y += 16;
  }
  if (count) store16(y, value, count);
}
