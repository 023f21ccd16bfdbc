/**
 * Products of floats whose weights are mostly zeros, which are left out as `spmm-f32.simd.ts` does, a sum at a time: the same
 * bytes where a zero would have met an infinity. Weights are packed as there; 128 bytes are one k.
 * @full
 */
import { atLeast, atMost } from "../common/lanes";
import { GemmF32 } from "./f32-params";

/** Parts take rows in turns. */
export function spmmF32(p: GemmF32, part: u32, parts: u32): void {
  for (let i = part; i < p.m; i += parts) {
    const x = <usize>p.x + <usize>i * p.xStride;
    let y = <usize>p.y + <usize>i * p.yStride;
    let w = <usize>p.w;
    for (const end = y + (p.n << 2); y < end; y += 4) {
      const bias = load<f32>(w, 4);
      const last = w + 8 + load<u32>(w);
      let sum: f32 = 0;
      for (w += 8; w < last; w += 8) sum += load<f32>(w, 4) * load<f32>(x + (load<u32>(w) >>> 5));
      store<f32>(y, atMost<f32>(atLeast<f32>(sum + bias, p.lo), p.hi));
    }
  }
}
