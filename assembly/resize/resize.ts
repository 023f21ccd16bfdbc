/** Resizes, in every module: rows and pixels are walked alike, only a pixel's bytes are moved or weighed by vectors. */
import { Resize } from "./params";
import { copyBytes as copyVectors } from "../common/edge.simd";
import { between as betweenVectors } from "./between.simd";
import { copyBytes } from "../common/bytes";
import { share } from "../common/split";

/** Bytes of one entry of an axis: where the first and the second source begin, and how far between them, of 1024. */
const ENTRY: usize = 12;

/** Each output pixel is the nearest input pixel, whose bytes are copied. Parts share the rows. */
export function resizeNearest(p: Resize, part: u32, parts: u32): void {
  walk(p, part, parts, false);
}

/** Each output pixel is between four, weighed by 1024ths in both directions; int8. Parts share the rows. */
export function resizeBilinear(p: Resize, part: u32, parts: u32): void {
  walk(p, part, parts, true);
}

// @ts-ignore: decorator
@inline function walk(p: Resize, part: u32, parts: u32, bilinear: bool): void {
  const bytes = p.bytes;
  const end = share(p.batch * p.outH, part + 1, parts);
  for (let i = share(p.batch * p.outH, part, parts); i < end; i++) {
    const batch = i / p.outH;
    const row = <usize>p.rows + <usize>(i - batch * p.outH) * ENTRY;
    const upper = <usize>p.x + batch * p.xBytes + load<u32>(row);
    const lower = <usize>p.x + batch * p.xBytes + load<u32>(row, 4);
    const down = load<i32>(row, 8);
    let y = <usize>p.y + i * p.outW * bytes;
    let column = <usize>p.columns;
    const last = column + <usize>p.outW * ENTRY;
    do {
      const left = <usize>load<u32>(column);
      if (bilinear) {
        const right = <usize>load<u32>(column, 4);
        const across = load<i32>(column, 8);
        if (ASC_FEATURE_SIMD) betweenVectors(y, upper + left, lower + left, upper + right, lower + right, bytes, down, across);
        else between(y, upper + left, lower + left, upper + right, lower + right, bytes, down, across);
      } else if (ASC_FEATURE_SIMD) copyVectors(y, upper + left, bytes);
      else copyBytes(y, upper + left, bytes);
      y += bytes;
      column += ENTRY;
    } while (column < last);
  }
}

/** One output pixel between those at a and b on the left, c and d on the right. */
function between(y: usize, a: usize, b: usize, c: usize, d: usize, bytes: u32, down: i32, across: i32): void {
  const end = y + bytes;
  do {
    const l = load<i8>(a++) * (1024 - down) + load<i8>(b++) * down;
    const r = load<i8>(c++) * (1024 - down) + load<i8>(d++) * down;
    const sum = l * (1024 - across) + r * across;
    const size = (abs(sum) + (1 << 19)) >> 20;
    store<i8>(y, <i8>(sum < 0 ? -size : size));
    y++;
  } while (y < end);
}
