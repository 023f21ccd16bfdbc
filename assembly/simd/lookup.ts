import { Lookup } from "../params";
import { lookup as portableLookup } from "../portable/lookup";
import { share } from "../portable/split";
import { load16, store16 } from "./edge";

/** y[i] = table[x[i]]; where the table is an xor (uint8 to int8 with one scale), sixteen bytes at a time. */
export function lookup(params: usize, part: u32, parts: u32): void {
  const p = changetype<Lookup>(params);
  if (!p.flip) return portableLookup(params, part, parts);
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
