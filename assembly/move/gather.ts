/** @full Rows chosen by indices that are computed at run time, and rows put where they say. */
import { Gather, GatherNd, HashtableLookup, ReverseSequence, ScatterNd } from "./params";
import { copyBytes as copyWords } from "../common/bytes";
import { copyBytes as copyVectors } from "../common/edge.simd";
import { bytesOf, element, FLOAT32, storeElement, UINT8 } from "../common/element";
import { share } from "../common/split";
import { integerAt } from "./integer";

/** How what meets is combined: as numbered by `mode`, and sums. */
const SUM: u32 = 3;

function move(y: usize, x: usize, bytes: u32): void {
  if (ASC_FEATURE_SIMD) copyVectors(y, x, bytes);
  else copyWords(y, x, bytes);
}

// @ts-ignore: decorator
@inline function clamped(index: i64, limit: u32): u32 {
  return <u32>min(max(index, 0), <i64>limit - 1);
}

/** Parts split the rows of y. */
export function gather(p: Gather, part: u32, parts: u32): void {
  const rows = p.batches * p.outer * p.count;
  const end = share(rows, part + 1, parts);
  for (let row = share(rows, part, parts); row < end; row++) {
    const around = row / p.count;
    const batch = around / p.outer;
    const index = clamped(integerAt(p.indices, batch * p.count + row - around * p.count, p.indexBytes), p.limit);
    move(<usize>p.y + row * p.bytes, <usize>p.x + (around * p.limit + index) * p.bytes, p.bytes);
  }
}

/** Parts split the rows of y. */
export function gatherNd(p: GatherNd, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let row = share(p.count, part, parts); row < end; row++) {
    let x = <usize>p.x;
    for (let d: u32 = 0; d < p.depth; d++) {
      const place = <usize>p.placeTable + (d << 3);
      x += clamped(integerAt(p.indices, row * p.depth + d, p.indexBytes), load<u32>(place)) * load<u32>(place, 4);
    }
    move(<usize>p.y + row * p.bytes, x, p.bytes);
  }
}

/** Parts split the elements of each row, so that rows that meet are summed in their order. y has been filled before. */
export function scatterNd(p: ScatterNd, part: u32, parts: u32): void {
  const elements = p.bytes / p.size;
  const first = share(elements, part, parts) * p.size;
  const bytes = share(elements, part + 1, parts) * p.size - first;
  if (bytes == 0) return;
  for (let row: u32 = 0; row < p.count; row++) {
    let y = <usize>p.y + first;
    let inside = true;
    for (let d: u32 = 0; d < p.depth; d++) {
      const place = <usize>p.placeTable + (d << 3);
      const index = integerAt(p.indices, row * p.depth + d, p.indexBytes);
      if (<u64>index >= <u64>load<u32>(place)) inside = false;
      y += <u32>index * load<u32>(place, 4);
    }
    if (!inside) continue;
    if (p.mode == 3) move(y, p.x, bytes);
    else if (p.mode == 0) move(y, <usize>p.x + row * p.bytes + first, bytes);
    else combineRow(y, <usize>p.x + row * p.bytes + first, bytes, p.size, p.mode);
  }
}

/** y = y·x, min(y, x), max(y, x) or y + x; `mode`: 1 and 8 to 10 integers with a sign, 12 to 14 without, else float32. */
function combineRow(y: usize, x: usize, bytes: u32, size: u32, mode: u32): void {
  const form = mode < 4 ? SUM : mode & 3;
  if (mode == 1 || mode > 7) combine<i64>(y, x, y + bytes, form, mode > 11 ? UINT8 : ctz(size) << 1);
  else combine<f32>(y, x, y + bytes, form, FLOAT32);
}

function combine<T>(y: usize, x: usize, end: usize, form: u32, type: u32): void {
  const step = <usize>bytesOf<T>(type);
  for (; y < end; y += step) {
    const a = element<T>(type, y);
    const b = element<T>(type, x);
    storeElement<T>(type, y, form == SUM ? a + b : form == 0 ? a * b : form == 1 ? min(a, b) : max(a, b));
    x += step;
  }
}

/** Parts split the rows. */
export function reverseSequence(p: ReverseSequence, part: u32, parts: u32): void {
  const end = share(p.rows, part + 1, parts);
  for (let row = share(p.rows, part, parts); row < end; row++) {
    const time = (row / p.timeStep) % p.time;
    const length = clamped(integerAt(p.lengths, (row / p.batchStep) % p.batches, p.lengthBytes), p.time + 1);
    const from = time < length ? row + (length - 1 - time - time) * p.timeStep : row;
    move(<usize>p.y + row * p.bytes, <usize>p.x + from * p.bytes, p.bytes);
  }
}

/** Parts split the keys that are looked for. */
export function hashtableLookup(p: HashtableLookup, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    const key = load<i32>(<usize>p.x + (i << 2));
    let low: u32 = 0;
    let high = p.keyCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (load<i32>(<usize>p.keys + (middle << 2)) < key) low = middle + 1;
      else high = middle;
    }
    const hit = low < p.keyCount && load<i32>(<usize>p.keys + (low << 2)) == key;
    const y = <usize>p.y + i * p.bytes;
    if (hit) move(y, <usize>p.values + low * p.bytes, p.bytes);
    else memory.fill(y, 0, p.bytes);
    store<u8>(<usize>p.hits + i, hit ? 1 : 0);
  }
}
