/** Functions of one int16 by tables with straight lines between their entries. @full */
import { LookupS16, SigmoidS16 } from "./params";
import { share } from "../common/split";

/** y = table[x / 128] and the line to the next entry: 513 int16 from −32768 on. */
export function lookupS16(p: LookupS16, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  const table = <usize>p.table + 512;
  for (let i = share(p.count, part, parts); i < end; i++) {
    const x = <i32>load<i16>(<usize>p.x + (<usize>i << 1));
    const entry = table + (<isize>(x >> 7) << 1);
    const base = <i32>load<i16>(entry);
    const slope = <i32>load<i16>(entry, 2) - base;
    store<i16>(<usize>p.y + (<usize>i << 1), base + ((slope * (x & 127) + 64) >> 7));
  }
}

/** LOGISTIC or TANH by 256 uint16 of the logistic function from 0 to 10.7, at 9 or 8 bits between entries. */
export function sigmoidS16(p: SigmoidS16, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  const bits = p.tanh ? 8 : 9;
  const shift = p.shift;
  const round = shift > 0 ? 1 << (shift - 1) : 0;
  for (let i = share(p.count, part, parts); i < end; i++) {
    const x = (<i32>load<i16>(<usize>p.x + (<usize>i << 1)) * p.multiplier + round) >> shift;
    const a = <u32>abs<i32>(x);
    const entry = a >>> bits;
    let result: i32;
    if (entry >= 255) result = p.tanh ? 0xffff << 8 : 0x7fff << 10;
    else {
      const from = <i32>load<u16>(<usize>p.table + (entry << 1));
      const to = <i32>load<u16>(<usize>p.table + (entry << 1), 2);
      result = (from << bits) + <i32>(a & ((1 << bits) - 1)) * (to - from);
    }
    if (p.tanh) result = (x >= 0 ? result - (1 << 23) + (1 << 7) : (1 << 23) - result + (1 << 7) - 1) >> 8;
    else result = <i32>(<u32>(x >= 0 ? result + (1 << 9) : (1 << 25) - result + (1 << 9) - 1) >>> 10);
    store<i16>(<usize>p.y + (<usize>i << 1), result);
  }
}
