/** @full Small vectors of sizes that no plan could compute. */
import { BroadcastArgs, LookupRows, Range } from "./params";
import { share } from "../common/split";
import { integerAt } from "./integer";

/** The first part does it all. */
export function broadcastArgs(p: BroadcastArgs, part: u32, parts: u32): void {
  if (part) return;
  const count = max(p.aCount, p.bCount);
  for (let i: u32 = 0; i < count; i++) {
    const a = i + p.aCount < count ? 1 : integerAt(p.a, i + p.aCount - count, p.bytes);
    const b = i + p.bCount < count ? 1 : integerAt(p.b, i + p.bCount - count, p.bytes);
    const size = a == 1 ? b : a;
    if (p.bytes == 8) store<i64>(<usize>p.y + (i << 3), size);
    else store<i32>(<usize>p.y + (i << 2), <i32>size);
  }
}

/** Parts split the elements: each is computed from its index, float32 ones by adding up as the reference does. */
export function range(p: Range, part: u32, parts: u32): void {
  if (p.type == 2) {
    if (part) return;
    const delta = load<f32>(p.delta);
    let value = load<f32>(p.start);
    for (let i: u32 = 0; i < p.count; i++) {
      store<f32>(<usize>p.y + (i << 2), value);
      value += delta;
    }
    return;
  }
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    if (p.type == 1) store<i64>(<usize>p.y + (i << 3), load<i64>(p.start) + <i64>i * load<i64>(p.delta));
    else store<i32>(<usize>p.y + (i << 2), load<i32>(p.start) + <i32>i * load<i32>(p.delta));
  }
}

/** Parts split the rows. */
export function lookupRows(p: LookupRows, part: u32, parts: u32): void {
  const end = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < end; row++) {
    const x = <usize>p.x + row * p.xStride;
    const y = <usize>p.y + row * p.yStride;
    for (let i: u32 = 0; i < p.bytes; i++) store<u8>(y + i, load<u8>(p.table + load<u8>(x + i)));
  }
}
