/**
 * Float depthwise convolution along a line: four pixels by four output channels a time, in vector modules. Lanes that do not
 * make a whole four are done again with the ones before them.
 */
import { atLeast, atMost, plus, splat, times } from "../common/lanes";
import { DwConvF32 } from "./params";

/** How four output channels read x: a channel each, or one four times. */
const EACH: u32 = 1;
const ONE: u32 = 4;

/** clamp(sum · scales + bias). */
// @ts-ignore: decorator
@inline export function finish<T>(p: DwConvF32, sum: T, scaled: bool, scale: T, rowScale: f32, bias: T): T {
  if (scaled) sum = times<T>(sum, times<T>(scale, splat<T>(rowScale)));
  return atMost<T>(atLeast<T>(plus<T>(sum, bias), splat<T>(p.lo)), splat<T>(p.hi));
}

/** Whether `sweep` knows how to read x. */
export function sweeps(p: DwConvF32): bool {
  if (p.inC * p.multiplier < 4) return false;
  return p.multiplier == 1 || !(p.multiplier & 3);
}

/**
 * `count` pixels, four or more, whose windows lie on the input. `x`: the first tap of the first one's window; `w`: its
 * weights; `rows`: lines of the kernel.
 */
export function sweep(p: DwConvF32, x: usize, w: usize, rows: u32, y: usize, count: u32, rowScale: f32): void {
  if (p.multiplier == 1) {
    if (rows * p.kW == 1) return alone(p, x, w, y, count, rowScale);
    if (p.kW == 3 && p.strideW == p.dilationW) channels(p, x, w, rows, y, count, rowScale, EACH, 3, true);
    else if (p.kW == 3) channels(p, x, w, rows, y, count, rowScale, EACH, 3, false);
    else channels(p, x, w, rows, y, count, rowScale, EACH, 0, false);
  } else channels(p, x, w, rows, y, count, rowScale, ONE, 0, false);
}

/** One tap, of a kernel of one or of one column whose other rows stand on padding: a factor for each channel, which stays for all pixels. */
function alone(p: DwConvF32, x: usize, w: usize, y: usize, count: u32, rowScale: f32): void {
  const pixel = <usize>p.inC << 2;
  const step = <usize>p.strideW * pixel;
  const scaled = p.scaleTable != 0;
  for (let next: u32 = 0; next < p.inC; next += 4) {
    const at = <usize>min(next, p.inC - 4) << 2;
    const factor = v128.load(w + at);
    const bias = p.bias ? v128.load(<usize>p.bias + at) : f32x4.splat(0);
    const scale = scaled ? v128.load(<usize>p.scaleTable + at) : f32x4.splat(0);
    let from = x + at;
    let to = y + at;
    for (const end = to + count * pixel; to < end; to += pixel) {
      v128.store(to, finish<v128>(p, add(f32x4.splat(0), v128.load(from), factor), scaled, scale, rowScale, bias));
      from += step;
    }
  }
}

// @ts-ignore: decorator
@inline function lanes(x: usize, form: u32): v128 {
  return form == EACH ? v128.load(x) : v128.load32_splat(x);
}

// @ts-ignore: decorator
@inline function add(sum: v128, x: v128, w: v128): v128 {
  return f32x4.add(sum, f32x4.mul(x, w));
}

/** `taps`: of a line, where that is known; `shared`: neighbours' taps are a pixel apart, so that they read the same ones. */
// @ts-ignore: decorator
@inline function channels(p: DwConvF32, x: usize, w: usize, rows: u32, y: usize, count: u32, rowScale: f32, form: u32, taps: u32, shared: bool): void {
  const outC = p.inC * p.multiplier;
  const pixel = <usize>p.inC << 2;
  const yPixel = <usize>outC << 2;
  const step = <usize>p.strideW * pixel;
  const across = <usize>p.dilationW * pixel;
  const down = <usize>(p.dilationH * p.inW) * pixel;
  const wLine = <usize>p.kW * yPixel;
  const scaled = p.scaleTable != 0;
  for (let next: u32 = 0; next < outC; next += 4) {
    const o = min(next, outC - 4);
    const at = <usize>o << 2;
    const from = x + (<usize>(form == EACH ? o : o / p.multiplier) << 2);
    const wEnd = w + at + rows * wLine;
    for (let i: u32 = 0; i < count; i += 4) {
      const first = <usize>min(i, count - 4);
      let r0 = f32x4.splat(0);
      let r1 = r0;
      let r2 = r0;
      let r3 = r0;
      let line = from + first * step;
      for (let v = w + at; v < wEnd; v += wLine) {
        let x0 = line;
        let x1 = x0 + step;
        let x2 = x1 + step;
        let x3 = x2 + step;
        if (taps == 3) {
          const w0 = v128.load(v);
          const w1 = v128.load(v + yPixel);
          const w2 = v128.load(v + 2 * yPixel);
          if (shared) {
            const v0 = v128.load(x0);
            const v1 = v128.load(x1);
            const v2 = v128.load(x2);
            const v3 = v128.load(x3);
            const v4 = v128.load(x3 + step);
            const v5 = v128.load(x3 + 2 * step);
            r0 = add(add(add(r0, v0, w0), v1, w1), v2, w2);
            r1 = add(add(add(r1, v1, w0), v2, w1), v3, w2);
            r2 = add(add(add(r2, v2, w0), v3, w1), v4, w2);
            r3 = add(add(add(r3, v3, w0), v4, w1), v5, w2);
          } else {
            r0 = add(add(add(r0, v128.load(x0), w0), v128.load(x0 + across), w1), v128.load(x0 + 2 * across), w2);
            r1 = add(add(add(r1, v128.load(x1), w0), v128.load(x1 + across), w1), v128.load(x1 + 2 * across), w2);
            r2 = add(add(add(r2, v128.load(x2), w0), v128.load(x2 + across), w1), v128.load(x2 + 2 * across), w2);
            r3 = add(add(add(r3, v128.load(x3), w0), v128.load(x3 + across), w1), v128.load(x3 + 2 * across), w2);
          }
        } else {
          for (let tap = v, end = v + wLine; tap < end; tap += yPixel) {
            const w0 = v128.load(tap);
            r0 = add(r0, lanes(x0, form), w0);
            r1 = add(r1, lanes(x1, form), w0);
            r2 = add(r2, lanes(x2, form), w0);
            r3 = add(r3, lanes(x3, form), w0);
            x0 += across;
            x1 += across;
            x2 += across;
            x3 += across;
          }
        }
        line += down;
      }
      const bias = p.bias ? v128.load(<usize>p.bias + at) : f32x4.splat(0);
      const scale = scaled ? v128.load(<usize>p.scaleTable + at) : f32x4.splat(0);
      const to = y + at + first * yPixel;
      v128.store(to, finish<v128>(p, r0, scaled, scale, rowScale, bias));
      v128.store(to + yPixel, finish<v128>(p, r1, scaled, scale, rowScale, bias));
      v128.store(to + 2 * yPixel, finish<v128>(p, r2, scaled, scale, rowScale, bias));
      v128.store(to + 3 * yPixel, finish<v128>(p, r3, scaled, scale, rowScale, bias));
    }
  }
}
