import { lookupChannels } from "./lookup-channels";
import { Lookup } from "./params";
import { share } from "../common/split";

// @ts-ignore: decorator
@inline function at(table: usize, byte: u32): u32 {
  return load<u8>(table + byte);
}

/** y[i] = table[x[i]] for bytes; x and y may be the same. Four at a time: one load and one store of 32 bits. */
export function lookup(p: Lookup, part: u32, parts: u32): void {
  if (p.channels > 1) return lookupChannels(p, part, parts);
  const table = <usize>p.table;
  let i = share(p.count, part, parts);
  const count = share(p.count, part + 1, parts) - i;
  let x = <usize>p.x + i;
  let y = <usize>p.y + i;
  for (i = count >>> 2; i > 0; i--) {
    const four = load<u32>(x);
    const low = at(table, four & 255) | (at(table, (four >>> 8) & 255) << 8);
    const high = at(table, (four >>> 16) & 255) | (at(table, four >>> 24) << 8);
    store<u32>(y, low | (high << 16));
    x += 4;
    y += 4;
  }
  for (i = count & 3; i > 0; i--) {
    store<u8>(y, at(table, load<u8>(x)));
    x += 1;
    y += 1;
  }
}
