/** The patches of a convolution as packed GEMM rows: [kH][kW][inC], the zero point where a patch leaves the input. */
import { Conv2d } from "../params";
import { LANE, pack, packFill } from "./widen";

/** Packs the patches of `rows` output pixels from pixel `first` on (over batch, height and width). */
export function packPatches(p: Conv2d, first: u32, rows: u32, target: usize, stride: usize): void {
  const outW = p.outW;
  const outH = p.outH;
  const image = outW * outH;
  let batch = first / image;
  let pixel = first - batch * image;
  let oy = pixel / outW;
  let ox = pixel - oy * outW;
  for (let i: u32 = 0; i < rows; i++) {
    packPatch(p, batch, oy, ox, target);
    target += stride;
    if (++ox == outW) {
      ox = 0;
      if (++oy == outH) {
        oy = 0;
        batch++;
      }
    }
  }
}

function packPatch(p: Conv2d, batch: u32, oy: u32, ox: u32, target: usize): void {
  const inC = p.inC;
  const xStride = p.xStride;
  const inW = <i32>p.inW;
  const kW = <i32>p.kW;
  const dilation = <i32>p.dilationW;
  const x0 = <i32>(ox * p.strideW) - p.padLeft;
  const rowBytes = <usize>(kW * inC) * LANE;
  const contiguous = dilation == 1 && xStride == inC && x0 >= 0 && x0 + kW <= inW;
  let y = <i32>(oy * p.strideH) - p.padTop;
  for (let ky: u32 = 0; ky < p.kH; ky++) {
    if (<u32>y >= p.inH) packFill(target, p.xZeroPoint, kW * inC);
    else {
      const row = <usize>p.x + <usize>(batch * p.inH + y) * (<usize>inW * xStride);
      if (contiguous) pack(target, row + <usize>x0 * xStride, kW * inC);
      else {
        let x = x0;
        let t = target;
        for (let kx = 0; kx < kW; kx++) {
          if (<u32>x >= <u32>inW) packFill(t, p.xZeroPoint, inC);
          else pack(t, row + <usize>x * xStride, inC);
          x += dilation;
          t += <usize>inC * LANE;
        }
      }
    }
    y += p.dilationH;
    target += rowBytes;
  }
}
