/**
 * What `bench/interpreters` measures the scalar kernels against: the reference's loops as they are written down, one
 * multiply-add at a time, and its requantization step by step. Built with the flags of target `scalar`, in no release.
 * Input zero points are folded into the bias as for the other kernels; weights stay int8 [n][kH][kW][inC], depthwise
 * [kH][kW][channels]. A channel's record: bias i32 | multiplier i32 | shift i32.
 */
import { Conv2d, Gemm } from "./product/params";
import { DwConv } from "./depthwise/params";
import { rescale } from "./common/fixedpoint";

export {
  add, averagePool, copy, dequantize, lookup, maxPool, mean, mul, pad, permute, quantize, resizeBilinear, resizeNearest, softmax,
} from "./generated/kernels";

const RECORD: usize = 12;

// @ts-ignore: decorator
@inline function requantize(acc: i32, q: usize, zeroPoint: i32, lo: i32, hi: i32): i32 {
  const y = rescale(acc + load<i32>(q), load<i32>(q, 4), load<i32>(q, 8)) + zeroPoint;
  return min(max(y, lo), hi);
}

export function gemm(params: usize, _part: u32, _parts: u32): void {
  const p = changetype<Gemm>(params);
  const k = <usize>p.k;
  for (let m: u32 = 0; m < p.m; m++) {
    const x = <usize>p.x + <usize>m * p.xStride;
    const y = <usize>p.y + <usize>m * p.yStride;
    let w = <usize>p.w;
    let q = <usize>p.q;
    for (let n: u32 = 0; n < p.n; n++) {
      let acc = 0;
      let a = x;
      for (const end = w + k; w < end; w++) {
        acc += <i32>load<i8>(a) * <i32>load<i8>(w);
        a++;
      }
      store<i8>(y + n, requantize(acc, q, p.yZeroPoint, p.lo, p.hi));
      q += RECORD;
    }
  }
}

export function conv2d(params: usize, _part: u32, _parts: u32): void {
  const p = changetype<Conv2d>(params);
  const inC = <usize>p.patches.inC;
  const batch = p.m / (p.patches.outH * p.patches.outW);
  let y = <usize>p.y;
  for (let b: u32 = 0; b < batch; b++) {
    for (let oy: u32 = 0; oy < p.patches.outH; oy++) {
      for (let ox: u32 = 0; ox < p.patches.outW; ox++) {
        let w = <usize>p.w;
        let q = <usize>p.q;
        for (let n: u32 = 0; n < p.n; n++) {
          let acc = 0;
          for (let ky: u32 = 0; ky < p.patches.kH; ky++) {
            const iy = <i32>(oy * p.patches.strideH + ky * p.patches.dilationH) - p.patches.padTop;
            for (let kx: u32 = 0; kx < p.patches.kW; kx++) {
              const ix = <i32>(ox * p.patches.strideW + kx * p.patches.dilationW) - p.patches.padLeft;
              const end = w + inC;
              if (<u32>iy < p.patches.inH && <u32>ix < p.patches.inW) {
                let x = <usize>p.x + <usize>((b * p.patches.inH + iy) * p.patches.inW + ix) * p.xStride;
                for (; w < end; w++) {
                  acc += <i32>load<i8>(x) * <i32>load<i8>(w);
                  x++;
                }
              } else for (const zeroPoint = p.xZeroPoint; w < end; w++) acc += zeroPoint * <i32>load<i8>(w);
            }
          }
          store<i8>(y + n, requantize(acc, q, p.yZeroPoint, p.lo, p.hi));
          q += RECORD;
        }
        y += p.yStride;
      }
    }
  }
}

export function dwconv(params: usize, _part: u32, _parts: u32): void {
  const p = changetype<DwConv>(params);
  const channels = p.inC * p.multiplier;
  let y = <usize>p.y;
  for (let b: u32 = 0; b < p.batch; b++) {
    for (let oy: u32 = 0; oy < p.outH; oy++) {
      for (let ox: u32 = 0; ox < p.outW; ox++) {
        let q = <usize>p.q;
        for (let c: u32 = 0; c < channels; c++) {
          let acc = 0;
          let w = <usize>p.w + c;
          for (let ky: u32 = 0; ky < p.kH; ky++) {
            const iy = <i32>(oy * p.strideH + ky * p.dilationH) - p.padTop;
            for (let kx: u32 = 0; kx < p.kW; kx++) {
              const ix = <i32>(ox * p.strideW + kx * p.dilationW) - p.padLeft;
              let v = p.xZeroPoint;
              if (<u32>iy < p.inH && <u32>ix < p.inW)
                v = <i32>load<i8>(<usize>p.x + <usize>((b * p.inH + iy) * p.inW + ix) * p.inC + c / p.multiplier);
              acc += v * <i32>load<i8>(w);
              w += channels;
            }
          }
          store<i8>(y + c, requantize(acc, q, p.yZeroPoint, p.lo, p.hi));
          q += RECORD;
        }
        y += channels;
      }
    }
  }
}

export function dwconv3x3(params: usize, part: u32, parts: u32): void {
  dwconv(params, part, parts);
}
