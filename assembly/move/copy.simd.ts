import { Copy } from "./params";
import { share } from "../common/split";
import { copyBytes } from "../common/edge.simd";

/** Copies rows of bytes between two strided places. Parts split the bytes, so one long row is shared as well. */
export function copy(p: Copy, part: u32, parts: u32): void {
  const total = p.rows * p.bytes;
  const end = share(total, part + 1, parts);
  let i = share(total, part, parts);
  while (i < end) {
    const row = i / p.bytes;
    const column = i - row * p.bytes;
    const count = min(p.bytes - column, end - i);
    copyBytes(<usize>p.y + row * p.yStride + column, <usize>p.x + row * p.xStride + column, count);
    i += count;
  }
}
