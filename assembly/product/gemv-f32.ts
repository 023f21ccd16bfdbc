/** One row by packed panels, two panels at a time: four sums that do not wait for each other. (Four panels would be streams a multiple of 4 KiB apart: half as fast, as two are a little where memory is read.) */
import { GemmF32 } from "./f32-params";
import { finishHybrid, finishOne, finishRow, Hybrid } from "./finish-f32";
import { add, high, low, panelBytes, sumOf } from "./tile-f32";

/** Weights of more bytes than these come from memory, and panels are read one by one. */
const BEYOND_CACHES: u32 = 8 << 20;

/** The row at `a`, whose elements follow each other, by panels `panel` to `end`. */
export function gemvF32<K>(p: GemmF32, a: usize, scale: f32, w: usize, y: usize, panel: u32, end: u32): void {
  const k = p.k;
  const n = p.n;
  const size = panelBytes<K>(k);
  if (ASC_FEATURE_SIMD) {
    let step: u32 = (n >>> 3) * <u32>size > BEYOND_CACHES ? 1 : 2;
    while (panel < end) {
      step = min(step, end - panel);
      let b0 = w + <usize>panel * size;
      let b1 = b0 + (<usize>step - 1) * size;
      let r00 = i32x4.splat(0);
      let r01 = r00;
      let r10 = r00;
      let r11 = r00;
      for (let at = a; at < a + (<usize>k << 2); at += 4) {
        const x = v128.load32_splat(at);
        r00 = add<K>(x, low<K>(b0), r00);
        r01 = add<K>(x, high<K>(b0), r01);
        r10 = add<K>(x, low<K>(b1), r10);
        r11 = add<K>(x, high<K>(b1), r11);
        b0 += panelBytes<K>(1);
        b1 += panelBytes<K>(1);
      }
      for (const next = panel + step; panel < next; panel++) {
        finishColumns<K>(p, y, r00, r01, scale, panel << 3, min(n - (panel << 3), 8));
        r00 = r10;
        r01 = r11;
      }
    }
  } else {
    for (let column = panel << 3; column < min(end << 3, n); column++) {
      const b = w + <usize>(column >>> 3) * size + (<usize>(column & 7) << (idof<K>() == idof<Hybrid>() ? 1 : 2));
      const sum = idof<K>() == idof<Hybrid>() ? <f32>sumOf<K, i32, i8>(0, a, b, k) : sumOf<K, f32, f32>(0, a, b, k);
      finishOne<K>(p, y, sum, scale, column);
    }
  }
}

// @ts-ignore: decorator
@inline function finishColumns<K>(p: GemmF32, y: usize, r0: v128, r1: v128, scale: f32, column: u32, width: u32): void {
  if (idof<K>() == idof<Hybrid>()) finishHybrid(p, y, r0, r1, scale, column, width);
  else finishRow<K>(p, y, r0, r1, scale, column, width);
}
