/**
 * The patches of a convolution as GEMM rows: [kH][kW][inC], the zero point where a patch leaves the input. Rows
 * are filled kernel row by kernel row, over runs of pixels whose patches do not leave the input sideways.
 */
import { Conv2d } from "./params";
import { copyRun, copyRuns, fillRun } from "../common/bytes.simd";

/** Gathers the patches of `rows` output pixels from pixel `first` on (over batch, height and width). */
export function packPatches(p: Conv2d, first: u32, rows: u32, target: usize, stride: usize): void {
  const outW = p.patches.outW;
  const line = first / outW;
  let ox = first - line * outW;
  let batch = line / p.patches.outH;
  let oy = line - batch * p.patches.outH;
  do {
    const run = min(rows, outW - ox);
    packLine(p, batch, oy, ox, run, target, stride);
    target += <usize>run * stride;
    rows -= run;
    ox = 0;
    if (++oy == p.patches.outH) {
      oy = 0;
      batch++;
    }
  } while (rows);
}

/** The patches of `run` pixels of one output row. */
function packLine(p: Conv2d, batch: u32, oy: u32, ox: u32, run: u32, target: usize, stride: usize): void {
  const xStride = p.xStride;
  const kW = p.patches.kW;
  const length = kW * p.patches.inC;
  const strideW = <i32>p.patches.strideW;
  const x0 = <i32>ox * strideW - p.patches.padLeft;
  // Pixels [from, to) of the run read whole kernel rows; the others, and spread or grouped kernels, go tap by tap.
  const direct = p.patches.dilationW == 1 && xStride == p.patches.inC;
  const last = <i32>p.patches.inW - <i32>kW - x0;
  const from = direct ? min(<u32>max((strideW - 1 - x0) / strideW, 0), run) : run;
  const to = direct && last >= 0 ? max(min(<u32>(last / strideW) + 1, run), from) : from;
  let y = <i32>(oy * p.patches.strideH) - p.patches.padTop;
  let ky: u32 = 0;
  do {
    if (<u32>y >= p.patches.inH) {
      let i: u32 = 0;
      do {
        fillRun(target + <usize>i * stride, p.xZeroPoint, length);
        i++;
      } while (i < run);
    } else {
      const row = <usize>p.x + <usize>((batch * p.patches.inH + y) * p.patches.inW) * xStride;
      packTaps(p, row, x0, 0, from, target, stride);
      const start = row + <usize>(x0 + <i32>from * strideW) * xStride;
      if (to > from) copyRuns(target + <usize>from * stride, stride, start, <usize>strideW * xStride, to - from, length);
      packTaps(p, row, x0, to, run, target, stride);
    }
    y += p.patches.dilationH;
    target += length;
    ky++;
  } while (ky < p.patches.kH);
}

/** One kernel row of pixels [from, to), tap by tap. */
function packTaps(p: Conv2d, row: usize, x0: i32, from: u32, to: u32, target: usize, stride: usize): void {
  const inC = p.patches.inC;
  for (let i = from; i < to; i++) {
    let x = x0 + <i32>(i * p.patches.strideW);
    let t = target + <usize>i * stride;
    if (inC == 1) {
      let kx: u32 = 0;
      do {
        store<u8>(t + kx, <u32>x < p.patches.inW ? load<u8>(row + <usize>x * p.xStride) : p.xZeroPoint);
        x += p.patches.dilationW;
        kx++;
      } while (kx < p.patches.kW);
      continue;
    }
    let kx: u32 = 0;
    do {
      if (<u32>x >= p.patches.inW) fillRun(t, p.xZeroPoint, inC);
      else copyRun(t, row + <usize>x * p.xStride, inC);
      x += p.patches.dilationW;
      t += inC;
      kx++;
    } while (kx < p.patches.kW);
  }
}
