/** @full Results whose length depends on data: each writes it, and at most what there is room for. One part does it all. */
import { FillOpen, PadOpen, RangeOpen, Unique, Where } from "./params";
import { copyBytes, fillElements } from "../common/bytes";
import { FLOAT32, whole } from "../common/element";
import { integerAt } from "./integer";

export function where(p: Where, part: u32, parts: u32): void {
  if (part) return;
  let y = <usize>p.y;
  let x = <usize>p.x;
  let found: u32 = 0;
  if (p.isColumns) for (let i: u32 = 0; i < p.count; i++) found += <u32>isTrue(x + <usize>i * p.size, p.size, p.mask);
  const step = p.isColumns ? found << 3 : 8;
  for (let i: u32 = 0; i < p.count; i++, x += p.size) {
    if (!isTrue(x, p.size, p.mask)) continue;
    let rest = i;
    for (let d = p.rank; d > 0; d--) {
      const size = load<u32>(<usize>p.sizeTable + ((d - 1) << 2));
      const next = rest / size;
      store<i64>(y + (d - 1) * step, rest - next * size);
      rest = next;
    }
    y += p.isColumns ? 8 : p.rank << 3;
  }
  const bytes = <u32>y - p.y;
  if (p.room) memory.fill(y, 0, p.room - bytes);
  store<u32>(p.lengthAt, p.room ? bytes / (p.rank << 3) : p.isColumns ? found * p.rank : bytes >>> 3);
}

function isTrue(x: usize, size: u32, mask: u32): bool {
  if (size == 1) return load<u8>(x) != 0;
  if (size == 2) return load<u16>(x) != 0;
  if (size == 4) return (load<u32>(x) & mask) != 0;
  return load<u64>(x) != 0;
}

export function unique(p: Unique, part: u32, parts: u32): void {
  if (part) return;
  let found: u32 = 0;
  for (let i: u32 = 0; i < p.count; i++) {
    const x = <usize>p.x + i * p.size;
    let at: u32 = 0;
    while (at < found && !isSame(p.type, <usize>p.y + at * p.size, x)) at++;
    if (at == found) copyBytes(<usize>p.y + found++ * p.size, x, p.size);
    if (p.placeBytes == 8) store<i64>(<usize>p.places + (i << 3), at);
    else store<u32>(<usize>p.places + (i << 2), at);
  }
  store<u32>(p.lengthAt, found);
}

export function fillOpen(p: FillOpen, part: u32, parts: u32): void {
  if (part) return;
  let count: i64 = 1;
  for (let d: u32 = 0; d < p.rank; d++) count = min(count * min(max(integerAt(p.sizes, d, p.sizeBytes), 0), 0x7fffffff), 0x7fffffff);
  store<u32>(p.lengthAt, <u32>count);
  const room = min(<u32>count, p.bound);
  fillElements(p.y, <usize>p.y + room * p.size, p.value, p.size);
}

export function rangeOpen(p: RangeOpen, part: u32, parts: u32): void {
  if (part) return;
  if (p.type == 2) {
    const delta = load<f32>(p.delta);
    let value = load<f32>(p.start);
    const asked = ceil((load<f32>(p.limit) - value) / delta);
    const count: u32 = asked > 0 ? (asked < 2147483647 ? <u32>asked : 0x7fffffff) : 0;
    store<u32>(p.lengthAt, count);
    for (let i: u32 = 0; i < min(count, p.bound); i++, value += delta) store<f32>(<usize>p.y + (i << 2), value);
    return;
  }
  const bytes: u32 = p.type == 1 ? 8 : 4;
  const start = integerAt(p.start, 0, bytes);
  const delta = integerAt(p.delta, 0, bytes);
  const distance = integerAt(p.limit, 0, bytes) - start;
  let count: i64 = 0;
  if (delta != 0 && (distance > 0) == (delta > 0)) count = (distance + delta - (delta > 0 ? 1 : -1)) / delta;
  count = min(max(count, 0), 0x7fffffff);
  store<u32>(p.lengthAt, <u32>count);
  const room = min(<u32>count, p.bound);
  for (let i: u32 = 0; i < room; i++) {
    const value = start + <i64>i * delta;
    if (bytes == 8) store<i64>(<usize>p.y + (i << 3), value);
    else store<i32>(<usize>p.y + (i << 2), <i32>value);
  }
}

function isSame(type: u32, a: usize, b: usize): bool {
  return type == FLOAT32 ? load<f32>(a) == load<f32>(b) : whole(type, a) == whole(type, b);
}

/** x within the value, as wide as the paddings say. */
export function padOpen(p: PadOpen, part: u32, parts: u32): void {
  if (part) return;
  let count: i64 = 1;
  let rows: u32 = 1;
  for (let d: u32 = 0; d < p.rank; d++) {
    count = min(count * min(paddedAt(p, d), 0x7fffffff), 0x7fffffff);
    if (d + 1 < p.rank) rows *= sizeAt(p, d);
  }
  store<u32>(p.lengthAt, <u32>count);
  if (<u32>count > p.bound) return;
  fillElements(p.y, <usize>p.y + <u32>count * p.size, p.value, p.size);
  const last = p.rank - 1;
  const bytes = sizeAt(p, last) * p.size;
  for (let row: u32 = 0; row < rows; row++) {
    let at = <u32>beforeAt(p, last);
    let stride = <u32>paddedAt(p, last);
    let rest = row;
    for (let d = last; d > 0; d--) {
      const size = sizeAt(p, d - 1);
      const next = rest / size;
      at += (<u32>beforeAt(p, d - 1) + rest - next * size) * stride;
      stride *= <u32>paddedAt(p, d - 1);
      rest = next;
    }
    copyBytes(<usize>p.y + at * p.size, <usize>p.x + row * bytes, bytes);
  }
}

// @ts-ignore: decorator
@inline function sizeAt(p: PadOpen, d: u32): u32 {
  return load<u32>(<usize>p.sizeTable + (d << 2));
}

// @ts-ignore: decorator
@inline function beforeAt(p: PadOpen, d: u32): i64 {
  return max(integerAt(p.pads, 2 * d, p.padBytes), 0);
}

/** x's size along d with what lies before and after. */
function paddedAt(p: PadOpen, d: u32): i64 {
  const most: i64 = 0x7fffffff;
  return min(beforeAt(p, d), most) + min(max(integerAt(p.pads, 2 * d + 1, p.padBytes), 0), most) + sizeAt(p, d);
}
