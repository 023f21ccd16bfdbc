/** Running sums, sums of segments and one-hot rows. @full */
import { bytesOf, element, FLOAT32, INT32, INT64, storeElement } from "../common/element";
import { share } from "../common/split";

/** y[outer,depth,inner] holds the sums of x so far along depth. */
@unmanaged
export class Running {
  x: u32;
  y: u32;
  outer: u32;
  depth: u32;
  inner: u32;
  /** 1 leaves an element out of its own sum. */
  exclusive: u32;
  /** 1 begins at the end. */
  reverse: u32;
}

/** y[segments,inner] combines the rows of x[rows,inner] whose int32 of `ids` is the segment's; other ids go nowhere. */
@unmanaged
export class Segment {
  x: u32;
  y: u32;
  ids: u32;
  rows: u32;
  inner: u32;
  segments: u32;
  /** 0 adds, 1 multiplies, 2 takes the greatest, 3 the least. */
  form: u32;
  /** Where the number of elements goes when the last id tells it: `segments` is then the most. 0: they are known. */
  lengthAt: u32;
}

/** y[outer,depth,inner] is `on` where depth is the index of [outer,inner], `off` elsewhere. */
@unmanaged
export class OneHot {
  x: u32;
  y: u32;
  on: u32;
  off: u32;
  outer: u32;
  depth: u32;
  inner: u32;
  /** Bytes of an index, 4 or 8, and of an element, 1 to 8. */
  indexSize: u32;
  size: u32;
}

/** int32, wrapping. */
export function runningS32(p: Running, part: u32, parts: u32): void {
  running<i64>(p, part, parts, INT32);
}

/** int64, wrapping. */
export function runningS64(p: Running, part: u32, parts: u32): void {
  running<i64>(p, part, parts, INT64);
}

/** float32. */
export function runningF32(p: Running, part: u32, parts: u32): void {
  running<f32>(p, part, parts, FLOAT32);
}

/** T: float32, or any integer. */
function running<T>(p: Running, part: u32, parts: u32, type: u32): void {
  const bytes = <usize>bytesOf<T>(type);
  const total = p.outer * p.inner;
  const end = share(total, part + 1, parts);
  const line = <usize>p.inner * bytes;
  for (let i = share(total, part, parts); i < end; i++) {
    const n = i / p.inner;
    let at = <usize>(n * p.depth * p.inner + i - n * p.inner) * bytes;
    if (p.reverse) at += <usize>(p.depth - 1) * line;
    let sum = <T>0;
    for (let j = p.depth; j > 0; j--) {
      const value = element<T>(type, <usize>p.x + at);
      storeElement<T>(type, <usize>p.y + at, p.exclusive ? sum : sum + value);
      sum += value;
      at = p.reverse ? at - line : at + line;
    }
  }
}

/** int32, wrapping. */
export function segmentS32(p: Segment, part: u32, parts: u32): void {
  segment<i32>(p, part, parts, p.form == 2 ? i32.MIN_VALUE : i32.MAX_VALUE);
}

/** float32; segments without rows hold the ends of the finite numbers where the extremes are asked for. */
export function segmentF32(p: Segment, part: u32, parts: u32): void {
  segment<f32>(p, part, parts, p.form == 2 ? -f32.MAX_VALUE : f32.MAX_VALUE);
}

/** Parts share the columns. */
// @ts-ignore: decorator
@inline function segment<T>(p: Segment, part: u32, parts: u32, extreme: T): void {
  const first = share(p.inner, part, parts);
  const last = share(p.inner, part + 1, parts);
  const form = p.form;
  let segments = p.segments;
  if (p.lengthAt) {
    segments = p.rows ? min(load<u32>(<usize>p.ids + (<usize>(p.rows - 1) << 2)) + 1, segments) : 0;
    if (part == 0) store<u32>(p.lengthAt, segments * p.inner);
  }
  const start = form == 0 ? <T>0 : form == 1 ? <T>1 : extreme;
  for (let row: u32 = 0; row < segments; row++) {
    const y = <usize>p.y + <usize>(row * p.inner) * sizeof<T>();
    for (let i = first; i < last; i++) store<T>(y + <usize>i * sizeof<T>(), start);
  }
  for (let row: u32 = 0; row < p.rows; row++) {
    const id = load<u32>(<usize>p.ids + (<usize>row << 2));
    if (id >= segments) continue;
    for (let i = first; i < last; i++) {
      const value = load<T>(<usize>p.x + <usize>(row * p.inner + i) * sizeof<T>());
      const y = <usize>p.y + <usize>(id * p.inner + i) * sizeof<T>();
      const so = load<T>(y);
      store<T>(y, form == 0 ? so + value : form == 1 ? so * value : (form == 2 ? value > so : value < so) ? value : so);
    }
  }
}

/** Any type of whole bytes. */
export function oneHot(p: OneHot, part: u32, parts: u32): void {
  const end = share(p.outer, part + 1, parts);
  const size = <usize>p.size;
  for (let n = share(p.outer, part, parts); n < end; n++) {
    let y = <usize>p.y + <usize>(n * p.depth * p.inner) * size;
    for (let j: u32 = 0; j < p.depth; j++) {
      for (let i: u32 = 0; i < p.inner; i++) {
        const at = <usize>p.x + <usize>(n * p.inner + i) * <usize>p.indexSize;
        const index = p.indexSize == 8 ? load<i64>(at) : <i64>load<i32>(at);
        const value = <usize>(index == <i64>j ? p.on : p.off);
        for (let b: usize = 0; b < size; b++) store<u8>(y + b, load<u8>(value + b));
        y += size;
      }
    }
  }
}
