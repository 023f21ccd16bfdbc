import { lookupChannels } from "./lookup-channels";
import { Lookup } from "./params";
import { share } from "../common/split";
import { load16, store16 } from "../common/edge.simd";

/** y[i] = table[x[i]], x and y may be the same; where the table is an xor (uint8 to int8 with one scale), sixteen bytes at a time. */
export function lookup(p: Lookup, part: u32, parts: u32): void {
  if (p.channels > 1) return lookupChannels(p, part, parts);
  const start = share(p.count, part, parts);
  let count = share(p.count, part + 1, parts) - start;
  let x = <usize>p.x + start;
  let y = <usize>p.y + start;
  if (!p.flip) return bytes(<usize>p.table, x, y, count);
  const flip = i8x16.splat(<i8>p.flip);
  for (; count >= 16; count -= 16) {
    v128.store(y, v128.xor(v128.load(x), flip));
    x += 16;
    y += 16;
  }
  if (count) store16(y, v128.xor(load16(x, count), flip), count);
}

/** Byte by byte: to take words apart and to join them again would be more operations than to load and to store. */
function bytes(table: usize, x: usize, y: usize, count: u32): void {
  for (; count >= 8; count -= 8) {
    store<u8>(y, load<u8>(table + load<u8>(x)));
    store<u8>(y, load<u8>(table + load<u8>(x, 1)), 1);
    store<u8>(y, load<u8>(table + load<u8>(x, 2)), 2);
    store<u8>(y, load<u8>(table + load<u8>(x, 3)), 3);
    store<u8>(y, load<u8>(table + load<u8>(x, 4)), 4);
    store<u8>(y, load<u8>(table + load<u8>(x, 5)), 5);
    store<u8>(y, load<u8>(table + load<u8>(x, 6)), 6);
    store<u8>(y, load<u8>(table + load<u8>(x, 7)), 7);
    x += 8;
    y += 8;
  }
  for (; count; count--) {
    store<u8>(y, load<u8>(table + load<u8>(x)));
    x++;
    y++;
  }
}
