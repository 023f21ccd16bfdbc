import { Resize } from "../params";
import { copyBytes } from "./bytes";
import { share } from "./split";

/** Bytes of one entry of an axis: where the first and the second source begin, and how far between them, of 1024. */
export const ENTRY: usize = 12;

/** Each output pixel is the nearest input pixel, whose bytes are copied. Parts share the rows. */
export function resizeNearest(params: usize, part: u32, parts: u32): void {
  const p = changetype<Resize>(params);
  const end = share(p.batch * p.outH, part + 1, parts);
  for (let i = share(p.batch * p.outH, part, parts); i < end; i++) {
    const batch = i / p.outH;
    const row = <usize>p.x + batch * p.xBytes + load<u32>(<usize>p.rows + <usize>(i - batch * p.outH) * ENTRY);
    let y = <usize>p.y + i * p.outW * p.bytes;
    let column = <usize>p.columns;
    for (const last = column + <usize>p.outW * ENTRY; column < last; column += ENTRY) {
      copyBytes(y, row + load<u32>(column), p.bytes);
      y += p.bytes;
    }
  }
}

/** Each output pixel is between four, weighed by 1024ths in both directions; int8. Parts share the rows. */
export function resizeBilinear(params: usize, part: u32, parts: u32): void {
  const p = changetype<Resize>(params);
  const end = share(p.batch * p.outH, part + 1, parts);
  for (let i = share(p.batch * p.outH, part, parts); i < end; i++) {
    const batch = i / p.outH;
    const entry = <usize>p.rows + <usize>(i - batch * p.outH) * ENTRY;
    const image = <usize>p.x + batch * p.xBytes;
    const upper = image + load<u32>(entry);
    const lower = image + load<u32>(entry, 4);
    const down = load<i32>(entry, 8);
    let y = <usize>p.y + i * p.outW * p.bytes;
    let column = <usize>p.columns;
    for (const last = column + <usize>p.outW * ENTRY; column < last; column += ENTRY) {
      const left = <usize>load<u32>(column);
      const right = <usize>load<u32>(column, 4);
      const across = load<i32>(column, 8);
      for (let c: usize = 0; c < p.bytes; c++) {
        const l = load<i8>(upper + left + c) * (1024 - down) + load<i8>(lower + left + c) * down;
        const r = load<i8>(upper + right + c) * (1024 - down) + load<i8>(lower + right + c) * down;
        const sum = l * (1024 - across) + r * across;
        const size = (abs(sum) + (1 << 19)) >> 20;
        store<i8>(y++, <i8>(sum < 0 ? -size : size));
      }
    }
  }
}
