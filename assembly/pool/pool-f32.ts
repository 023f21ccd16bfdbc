/** Mean and maximum of windows of float32, lanes are channels. @full @train */
import { load16, store16 } from "../common/edge.simd";
import { atLeast, atMost, over, plus, splat } from "../common/lanes";
import { share } from "../common/split";
import { PoolReal } from "./pool-wide";

export function averagePoolF32(p: PoolReal, part: u32, parts: u32): void {
  pool(p, part, parts, false);
}

export function maxPoolF32(p: PoolReal, part: u32, parts: u32): void {
  pool(p, part, parts, true);
}

/** Walks the output rows of this part; a window is the part of kH·kW that lies on the input, added up row by row; where lo says so, columns first, and then their sums. */
function pool(p: PoolReal, part: u32, parts: u32, largest: bool): void {
  const rows = p.batch * p.outH;
  const end = share(rows, part + 1, parts);
  const pixel = <usize>p.channels << 2;
  const inRow = <usize>p.inW * pixel;
  // how far apart what is added first stands, and the sums of it
  const inner = p.lo ? inRow : pixel;
  const outer = p.lo ? pixel : inRow;
  for (let row = share(rows, part, parts); row < end; row++) {
    const n = row / p.outH;
    const top = <i32>((row - n * p.outH) * p.strideH) - p.padTop;
    const y0 = max(top, 0);
    const tall = <u32>(min(top + <i32>p.kH, <i32>p.inH) - y0);
    const line = <usize>p.x + <usize>(n * p.inH + y0) * inRow;
    let y = <usize>p.y + <usize>(row * p.outW) * pixel;
    let column: u32 = 0;
    do {
      const left = <i32>(column * p.strideW) - p.padLeft;
      const x0 = max(left, 0);
      const wide = <u32>(min(left + <i32>p.kW, <i32>p.inW) - x0);
      const height = p.lo ? wide : tall;
      const width = p.lo ? tall : wide;
      const x = line + <usize>x0 * pixel;
      if (ASC_FEATURE_SIMD) {
        let c: usize = 0;
        if (!p.lo)
          for (; c + 64 <= pixel; c += 64) {
            if (largest) sixteen(p, y + c, x + c, height, width, outer, inner, true);
            else sixteen(p, y + c, x + c, height, width, outer, inner, false);
          }
        if (largest && height == 2 && width == 2)
          for (; c + 16 <= pixel; c += 16) v128.store(y + c, clamped<v128>(p, square(x + c, inRow, pixel)));
        for (; c + 16 <= pixel; c += 16) {
          const value = largest ? four(x + c, height, width, outer, inner, true, 0) : four(x + c, height, width, outer, inner, false, p.lo);
          v128.store(y + c, clamped<v128>(p, value));
        }
        for (; c < pixel; c += 16) {
          const bytes = <u32>min(pixel - c, 16);
          store16(y + c, clamped<v128>(p, window<v128>(x + c, height, width, outer, inner, largest, p.lo, bytes)), bytes);
        }
      } else {
        for (let c: usize = 0; c < pixel; c += 4) store<f32>(y + c, clamped<f32>(p, window<f32>(x + c, height, width, outer, inner, largest, p.lo, 4)));
      }
      y += pixel;
      column++;
    } while (column < p.outW);
  }
}

// @ts-ignore: decorator
@inline function clamped<T>(p: PoolReal, value: T): T {
  return atMost<T>(atLeast<T>(value, splat<T>(p.least)), splat<T>(p.most));
}

/** Sixteen channels. */
// @ts-ignore: decorator
@inline function sixteen(p: PoolReal, y: usize, x: usize, height: u32, width: u32, inRow: usize, pixel: usize, largest: bool): void {
  let r0 = f32x4.splat(largest ? -f32.MAX_VALUE : 0);
  let r1 = r0;
  let r2 = r0;
  let r3 = r0;
  let i = height;
  do {
    let at = x;
    let j = width;
    do {
      r0 = joined<v128>(r0, v128.load(at), largest);
      r1 = joined<v128>(r1, v128.load(at, 16), largest);
      r2 = joined<v128>(r2, v128.load(at, 32), largest);
      r3 = joined<v128>(r3, v128.load(at, 48), largest);
      at += pixel;
    } while (--j);
    x += inRow;
  } while (--i);
  const count = <f32>(height * width);
  v128.store(y, clamped<v128>(p, ended<v128>(r0, count, largest)));
  v128.store(y, clamped<v128>(p, ended<v128>(r1, count, largest)), 16);
  v128.store(y, clamped<v128>(p, ended<v128>(r2, count, largest)), 32);
  v128.store(y, clamped<v128>(p, ended<v128>(r3, count, largest)), 48);
}

/** Four channels. */
// @ts-ignore: decorator
@inline function four(x: usize, height: u32, width: u32, inRow: usize, pixel: usize, largest: bool, apart: i32): v128 {
  let value = f32x4.splat(largest ? -f32.MAX_VALUE : 0);
  let sum = value;
  let i = height;
  do {
    let at = x;
    if (apart) value = f32x4.splat(0);
    let j = width;
    do {
      value = joined<v128>(value, v128.load(at), largest);
      at += pixel;
    } while (--j);
    if (apart) sum = value = plus<v128>(sum, value);
    x += inRow;
  } while (--i);
  return ended<v128>(value, <f32>(height * width), largest);
}

/** The largest of two by two for four channels, in the order of `four`. */
// @ts-ignore: decorator
@inline function square(x: usize, inRow: usize, pixel: usize): v128 {
  const above = atLeast<v128>(atLeast<v128>(f32x4.splat(-f32.MAX_VALUE), v128.load(x)), v128.load(x + pixel));
  return atLeast<v128>(atLeast<v128>(above, v128.load(x + inRow)), v128.load(x + inRow + pixel));
}

// @ts-ignore: decorator
@inline function joined<T>(value: T, next: T, largest: bool): T {
  return largest ? atLeast<T>(value, next) : plus<T>(value, next);
}

// @ts-ignore: decorator
@inline function ended<T>(value: T, count: f32, largest: bool): T {
  return largest ? value : over<T>(value, splat<T>(count));
}

// @ts-ignore: decorator
@inline function window<T>(x: usize, height: u32, width: u32, inRow: usize, pixel: usize, largest: bool, apart: i32, bytes: u32): T {
  let value = splat<T>(largest ? -f32.MAX_VALUE : 0);
  let sum = value;
  let i = height;
  do {
    let at = x;
    if (apart) value = splat<T>(0);
    let j = width;
    do {
      value = joined<T>(value, isVector<T>() ? <T>load16(at, bytes) : <T>load<f32>(at), largest);
      at += pixel;
    } while (--j);
    if (apart) sum = value = plus<T>(sum, value);
    x += inRow;
  } while (--i);
  return ended<T>(value, <f32>(height * width), largest);
}
