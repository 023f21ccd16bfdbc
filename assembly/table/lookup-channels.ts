import { Lookup } from "./params";
import { share } from "../common/split";

/** A table for each channel: y[i][c] = table[c][x[i][c]]. */
export function lookupChannels(p: Lookup, part: u32, parts: u32): void {
  const channels = p.channels;
  const rows = p.count / channels;
  const end = share(rows, part + 1, parts);
  for (let row = share(rows, part, parts); row < end; row++) {
    let x = <usize>p.x + <usize>(row * channels);
    let y = <usize>p.y + <usize>(row * channels);
    let table = <usize>p.table;
    for (const last = table + (<usize>channels << 8); table < last; table += 256) store<u8>(y++, load<u8>(table + load<u8>(x++)));
  }
}
