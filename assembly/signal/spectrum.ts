/** The two-dimensional Fourier transform of real float32. Sums are of float64 in one order. @full */
import { share } from "../common/split";

/**
 * Images `[rows,columns]` of float32, cut or filled up with 0 to `[height,width]`, powers of two, to
 * `[height,width/2 + 1]` complex float32. Tables: cosine and sine in turn as float64 of one turn in `width` and in
 * `height` steps. Scratch: `height` complex float64.
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
      for (let k: u32 = 0; k < half; k++) {
        let real: f64 = 0;
        let imaginary: f64 = 0;
        for (let j: u32 = 0; j < count; j++) {
          const turn = <usize>p.widthTable + (<usize>((j * k) & (p.width - 1)) << 4);
          const value = <f64>load<f32>(x + (<usize>j << 2));
          real += value * load<f64>(turn);
          imaginary -= value * load<f64>(turn, 8);
        }
        const at = y + (<usize>(row * half + k) << 3);
        store<f32>(at, <f32>real);
        store<f32>(at, <f32>imaginary, 4);
      }
    }
    if (p.height > 1) for (let k: u32 = 0; k < half; k++) column(p, y + (<usize>k << 3), half, work);
  }
}

/** The transform of a column in its place. */
function column(p: Spectrum, y: usize, half: u32, work: usize): void {
  const step = <usize>half << 3;
  for (let row: usize = 0; row < <usize>p.height; row++) {
    store<f64>(work + (row << 4), <f64>load<f32>(y + row * step));
    store<f64>(work + (row << 4), <f64>load<f32>(y + row * step, 4), 8);
  }
  for (let k: u32 = 0; k < p.height; k++) {
    let real: f64 = 0;
    let imaginary: f64 = 0;
    for (let j: u32 = 0; j < p.height; j++) {
      const turn = <usize>p.heightTable + (<usize>((j * k) & (p.height - 1)) << 4);
      const a = load<f64>(work + (<usize>j << 4));
      const b = load<f64>(work + (<usize>j << 4), 8);
      real += a * load<f64>(turn) + b * load<f64>(turn, 8);
      imaginary += b * load<f64>(turn) - a * load<f64>(turn, 8);
    }
    store<f32>(y + <usize>k * step, <f32>real);
    store<f32>(y + <usize>k * step, <f32>imaginary, 4);
  }
}
