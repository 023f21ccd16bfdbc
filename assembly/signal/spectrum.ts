/** The two-dimensional Fourier transform of real float32, in float64. @full */
import { share } from "../common/split";

/**
 * Images `[rows,columns]` of float32, cut or filled up with 0 to `[height,width]`, powers of two, to
 * `[height,width/2 + 1]` complex float32. Tables: cosine and sine in turn as float64 of one turn in `width` and in
 * `height` steps. Scratch: as many complex float64 as the longer of both has.
 */
@unmanaged
export class Spectrum {
  x: u32;
  y: u32;
  scratch: u32;
  scratchStride: u32;
  images: u32;
  rows: u32;
  columns: u32;
  height: u32;
  width: u32;
  widthTable: u32;
  heightTable: u32;
}

/** Parts share the images. */
export function spectrum(p: Spectrum, part: u32, parts: u32): void {
  const work = <usize>p.scratch + <usize>part * p.scratchStride;
  const half = (p.width >> 1) + 1;
  const last = share(p.images, part + 1, parts);
  for (let image = share(p.images, part, parts); image < last; image++) {
    const y = <usize>p.y + (<usize>(image * p.height * half) << 3);
    for (let row: u32 = 0; row < p.height; row++) {
      const x = <usize>p.x + (<usize>((image * p.rows + row) * p.columns) << 2);
      const count = row < p.rows ? min(p.columns, p.width) : 0;
      line(x, 4, count, p.width, p.widthTable, y + (<usize>(row * half) << 3), 8, half, work);
    }
    if (p.height > 1)
      for (let k: u32 = 0; k < half; k++) {
        const at = y + (<usize>k << 3);
        line(at, <usize>half << 3, p.height, p.height, p.heightTable, at, <usize>half << 3, p.height, work);
      }
  }
}

/**
 * The first `kept` numbers of the transform of a line of n, of which there are `count`: real where they stand 4 bytes apart, else
 * complex. Cooley and Tukey's, of numbers that begin in the order of their reversed bits.
 */
function line(
  x: usize,
  step: usize,
  count: u32,
  n: u32,
  table: usize,
  y: usize,
  yStep: usize,
  kept: u32,
  work: usize,
): void {
  let place: u32 = 0;
  for (let j: u32 = 0; j < n; j++, x += step) {
    const to = work + (<usize>place << 4);
    store<f64>(to, j < count ? <f64>load<f32>(x) : 0);
    store<f64>(to, j < count && step !== 4 ? <f64>load<f32>(x, 4) : 0, 8);
    let bit = n >> 1;
    for (; place & bit; bit >>= 1) place ^= bit;
    place |= bit;
  }
  const end = work + (<usize>n << 4);
  for (let size: usize = 16, turns = <usize>n << 3; turns >= 16; size <<= 1, turns >>= 1)
    for (let at = work; at < end; at += size) {
      let turn = table;
      for (const stop = at + size; at < stop; at += 16) {
        butterfly(at, at + size, turn);
        turn += turns;
      }
    }
  for (let k: u32 = 0; k < kept; k++, y += yStep) {
    store<f32>(y, <f32>load<f64>(work + (<usize>k << 4)));
    store<f32>(y, <f32>load<f64>(work + (<usize>k << 4), 8), 4);
  }
}

/** at + far·turn and at − far·turn in their places, the turn's sine downwards. */
// @ts-ignore: decorator
@inline function butterfly(at: usize, far: usize, turn: usize): void {
  if (ASC_FEATURE_SIMD) {
    const v = v128.load(far);
    // a·cosine + b·sine and b·cosine − a·sine: the sine is negative in the second lane
    const sine = v128.xor(v128.load64_splat(turn, 8), i64x2(0, i64.MIN_VALUE));
    const turned = f64x2.add(f64x2.mul(v, v128.load64_splat(turn)), f64x2.mul(i64x2.shuffle(v, v, 1, 0), sine));
    const u = v128.load(at);
    v128.store(at, f64x2.add(u, turned));
    v128.store(far, f64x2.sub(u, turned));
    return;
  }
  const a = load<f64>(far);
  const b = load<f64>(far, 8);
  const real = a * load<f64>(turn) + b * load<f64>(turn, 8);
  const imaginary = b * load<f64>(turn) - a * load<f64>(turn, 8);
  const r = load<f64>(at);
  const i = load<f64>(at, 8);
  store<f64>(at, r + real);
  store<f64>(at, i + imaginary, 8);
  store<f64>(far, r - real);
  store<f64>(far, i - imaginary, 8);
}
