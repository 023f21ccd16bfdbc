/** Convolutions and fully-connected layers, one multiply-accumulate at a time; int32 accumulators that wrap. */
import { multiplyByQuantizedMultiplier } from "./fixedpoint.ts";

/** Everything that a convolution of `[N,H,W,C]` needs; a fully-connected layer is one of 1×1 pixels. */
interface Convolution {
  readonly x: Int8Array;
  readonly xShape: readonly [number, number, number, number];
  /** `[O,kH,kW,C/groups]`, or `[kH,kW,C·multiplier]` for depthwise. */
  readonly w: Int8Array;
  readonly bias: Int32Array;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly before: readonly [number, number];
  readonly yShape: readonly [number, number, number, number];
  readonly xZeroPoint: number;
  readonly yZeroPoint: number;
  readonly multipliers: readonly { readonly multiplier: number; readonly shift: number }[];
  readonly lo: number;
  readonly hi: number;
  readonly depthwise: boolean;
}

export function convolution(c: Convolution): Int8Array {
  const [batch, inH, inW, inC] = c.xShape;
  const [, outH, outW, outC] = c.yShape;
  const [kH, kW] = c.kernel;
  const perGroup = c.depthwise ? 1 : c.w.length / (outC * kH * kW);
  const outPerGroup = outC / (inC / perGroup);
  const y = new Int8Array(batch * outH * outW * outC);
  let at = 0;
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < outH; oy++)
      for (let ox = 0; ox < outW; ox++)
        for (let o = 0; o < outC; o++) {
          let acc = c.bias[o] as number;
          for (let ky = 0; ky < kH; ky++)
            for (let kx = 0; kx < kW; kx++) {
              const iy = oy * c.stride[0] - c.before[0] + ky * c.dilation[0];
              const ix = ox * c.stride[1] - c.before[1] + kx * c.dilation[1];
              if (iy < 0 || iy >= inH || ix < 0 || ix >= inW) continue;
              for (let i = 0; i < perGroup; i++) {
                const channel = Math.floor(o / outPerGroup) * perGroup + i;
                const value = c.x[((n * inH + iy) * inW + ix) * inC + channel] as number;
                const weight = c.depthwise ? (ky * kW + kx) * outC + o : ((o * kH + ky) * kW + kx) * perGroup + i;
                acc = (acc + (value - c.xZeroPoint) * (c.w[weight] as number)) | 0;
              }
            }
          const { multiplier, shift } = c.multipliers[o % c.multipliers.length] as Multiplier;
          const scaled = multiplyByQuantizedMultiplier(acc, multiplier, shift);
          y[at++] = Math.min(Math.max(scaled + c.yZeroPoint, c.lo), c.hi);
        }
  return y;
}

type Multiplier = Convolution["multipliers"][number];
