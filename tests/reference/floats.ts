/** Products of float32, one rounded multiplication and addition at a time, in the order in which TFLite's loops add. */

const f = Math.fround;

/** Sizes of a convolution; a matrix product is one of 1×1 pixels. */
interface FloatConvolution {
  readonly x: Float32Array;
  readonly xShape: readonly [number, number, number, number];
  /** `[O,kH,kW,C/groups]`, or `[kH,kW,C·multiplier]` where depthwise. */
  readonly w: ArrayLike<number>;
  readonly bias?: Float32Array;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly before: readonly [number, number];
  readonly yShape: readonly [number, number, number, number];
  readonly lo: number;
  readonly hi: number;
  readonly depthwise: boolean;
  /** Scales of int8 weights, by output channel. */
  readonly scales?: readonly number[];
  /** What is quantized together, in elements, and whether with a zero point. */
  readonly group?: number;
  readonly asymmetric?: boolean;
  /** Whether both scales are multiplied before the sum is, as all do but convolutions of a scale for each channel. */
  readonly scalesFirst?: boolean;
}

export function floatConvolution(c: FloatConvolution): Float32Array {
  const [batch, inH, inW, inC] = c.xShape;
  const [, outH, outW, outC] = c.yShape;
  const [kH, kW] = c.kernel;
  const perGroup = c.depthwise ? 1 : c.w.length / (outC * kH * kW);
  const outPerGroup = outC / (inC / perGroup);
  const y = new Float32Array(batch * outH * outW * outC);
  const { values, scaleAt } = c.scales === undefined ? { values: c.x, scaleAt: () => 1 } : quantized(c);
  let at = 0;
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < outH; oy++)
      for (let ox = 0; ox < outW; ox++)
        for (let o = 0; o < outC; o++) {
          let sum = 0;
          for (let ky = 0; ky < kH; ky++)
            for (let kx = 0; kx < kW; kx++) {
              const iy = oy * c.stride[0] - c.before[0] + ky * c.dilation[0];
              const ix = ox * c.stride[1] - c.before[1] + kx * c.dilation[1];
              if (iy < 0 || iy >= inH || ix < 0 || ix >= inW) continue;
              for (let i = 0; i < perGroup; i++) {
                const channel = Math.floor(o / outPerGroup) * perGroup + i;
                const value = values[((n * inH + iy) * inW + ix) * inC + channel] as number;
                const weight = c.depthwise ? (ky * kW + kx) * outC + o : ((o * kH + ky) * kW + kx) * perGroup + i;
                sum = f(sum + f(value * (c.w[weight] as number)));
              }
            }
          if (c.scales) {
            const [scale, xScale] = [f(c.scales[o] as number), scaleAt(n * inH * inW * inC)];
            sum = c.scalesFirst ? f(sum * f(scale * xScale)) : f(f(sum * scale) * xScale);
          }
          y[at++] = Math.min(Math.max(f(sum + (c.bias?.[o] ?? 0)), c.lo), c.hi);
        }
  return y;
}

/** q − zero point of every value, and the scale of the group that an element is in. */
function quantized({ x, group = x.length, asymmetric = false }: FloatConvolution) {
  const values = new Float32Array(x.length);
  const scales: number[] = [];
  for (let start = 0; start < x.length; start += group) {
    const own = x.subarray(start, start + group);
    const least = Math.min(0, ...own);
    const most = Math.max(0, ...own);
    const range = Math.max(-least, most);
    const step = (most - least) / 255;
    const zeroPoint = least === most || !asymmetric ? 0 : zeroPointOf(least / step, most / step);
    const scale = least === most ? 1 : asymmetric ? f(f(most - least) / 255) : f(range / 127);
    const inverse = least === most ? 0 : asymmetric ? f(1 / scale) : f(127 / range);
    for (const [i, value] of own.entries()) {
      const real = f(value * inverse);
      const whole = zeroPoint + Math.sign(real) * Math.floor(Math.abs(real) + 0.5);
      values[start + i] = Math.min(Math.max(whole, asymmetric ? -128 : -127), 127) - zeroPoint;
    }
    scales.push(scale);
  }
  return { values, scaleAt: (element: number) => scales[Math.floor(element / group)] as number };
}

function zeroPointOf(low: number, high: number): number {
  const point = 128 + Math.abs(low) < 127 + Math.abs(high) ? -128 - low : 127 - high;
  return Math.min(Math.max(Math.sign(point) * Math.floor(Math.abs(point) + 0.5), -128), 127);
}
