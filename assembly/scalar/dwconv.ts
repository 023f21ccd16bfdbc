/** Depthwise convolution for engines without SIMD; weights int8 [kH][kW][channels] as the model has them. */
import { DwConv } from "../params";
import { RECORD, requantize } from "./requantize";

export function dwconv(params: usize, part: u32, parts: u32): void {
  const p = changetype<DwConv>(params);
  const channels = p.inC * p.multiplier;
  const rows = p.batch * p.outH;
  const last = <u32>((<u64>rows * (part + 1)) / parts);
  let y = <usize>p.y;
  for (let row = <u32>((<u64>rows * part) / parts); row < last; row++) {
    const batch = row / p.outH;
    const y0 = <i32>((row - batch * p.outH) * p.strideH) - p.padTop;
    y = <usize>p.y + <usize>row * p.outW * channels;
    for (let ox: u32 = 0; ox < p.outW; ox++) {
      pixel(p, batch, y0, <i32>(ox * p.strideW) - p.padLeft, channels, y);
      y += channels;
    }
  }
}

function pixel(p: DwConv, batch: u32, y0: i32, x0: i32, channels: u32, out: usize): void {
  const zeroPoint = p.xZeroPoint;
  const rowBytes = <usize>p.inW * p.inC;
  const image = <usize>p.x + <usize>(batch * p.inH) * rowBytes;
  let q = <usize>p.q;
  for (let c: u32 = 0; c < channels; c++) {
    let acc = 0;
    let w = <usize>p.w + c;
    const source = image + c / p.multiplier;
    let y = y0;
    for (let ky: u32 = 0; ky < p.kH; ky++) {
      let x = x0;
      for (let kx: u32 = 0; kx < p.kW; kx++) {
        const inside = <u32>y < p.inH && <u32>x < p.inW;
        const v = inside ? <i32>load<i8>(source + <usize>y * rowBytes + <usize>x * p.inC) : zeroPoint;
        acc += v * <i32>load<i8>(w);
        w += channels;
        x += p.dilationW;
      }
      y += p.dilationH;
    }
    store<i8>(out + c, requantize(acc, q, p.lo, p.hi, p.yZeroPoint));
    q += RECORD;
  }
}
