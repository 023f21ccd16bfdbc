import { Lookup } from "./params";
import { lookup as portableLookup } from "./lookup";
import { share } from "../common/split";
import { load16, store16 } from "../common/edge.simd";

/** y[i] = table[x[i]]; where the table is an xor (uint8 to int8 with one scale), sixteen bytes at a time. */
export function lookup(p: Lookup, part: u32, parts: u32): void {
  if (!p.flip) return portableLookup(p, part, parts);
  const flip = i8x16.splat(<i8>p.flip);
  const start = share(p.count, part, parts);
  let count = share(p.count, part + 1, parts) - start;
  let x = <usize>p.x + start;
  let y = <usize>p.y + start;
  for (; count >= 16; count -= 16) {
    v128.store(y, v128.xor(v128.load(x), flip));
    x += 16;
    y += 16;
  }
  if (count) store16(y, v128.xor(load16(x, count), flip), count);
}
