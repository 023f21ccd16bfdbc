/** Transposed convolutions of float32 as ordinary ones: each phase of the output by a stride has a kernel of its own. */

import type { Activation } from "../../graph.ts";
import { type PatchesF32, packPanelsF32, packPanelsHybrid, type Size3 } from "../../primitives/product/gemmF32.ts";
import { BOUNDS } from "../../primitives/requantize/quantization.ts";
import { dimensions, floatsOf } from "../../tensor.ts";
import type { Lowering, Placed } from "../types.ts";
import { biasAt, callConv, int8Or4, placeScales } from "./floats.ts";

/** Phases of the output that are computed apart, at most: each is a step. */
export const MOST_PHASES = 4096;

/** A transposed convolution; sizes are depth, height, width. */
interface Transposed {
  readonly x: number;
  readonly y: number;
  readonly bias?: number;
  readonly batch: number;
  readonly input: Size3;
  readonly channels: number;
  readonly output: Size3;
  readonly outputs: number;
  readonly kernel: Size3;
  readonly stride: Size3;
  /** Padding before the first output. */
  readonly before: Size3;
  /** The weight of output channel o, tap (z, y, x) and input channel c. */
  readonly weight: (o: number, z: number, y: number, x: number, c: number) => number;
  readonly activation: Activation;
  /** Scales of int8 weights, one for each output; absent: the weights are floats. */
  readonly scaleTable?: number;
  /** Bias and scales stand there as often as a line has phases. */
  readonly repeated?: true;
}

/** Outputs r, r + stride, … of one dimension: how many, which taps meet them in the order of inputs, and where they begin. */
interface Phase {
  readonly first: number;
  readonly count: number;
  readonly taps: readonly number[];
  readonly before: number;
}

/** Beyond any input. */
const FAR = 2 ** 30;

function phases(out: number, kernel: number, stride: number, before: number): readonly Phase[] {
  return Array.from({ length: Math.min(stride, out) }, (_, first) => {
    const offset = (first + before) % stride;
    const taps: number[] = [];
    for (let tap = offset; tap < kernel; tap += stride) taps.unshift(tap);
    // outputs that no tap meets: one that stands outside of every input
    if (taps.length === 0) return { first, count: Math.ceil((out - first) / stride), taps: [0], before: FAR };
    return {
      first,
      count: Math.ceil((out - first) / stride),
      taps,
      before: taps.length - 1 - Math.floor((first + before) / stride),
    };
  });
}

/** A transposed convolution of images: x `[N,h,w,C]`, weights `[O,kH,kW,C]` of float32, int8 or int4, y `[N,H,W,O]`. */
interface TransposedImages extends Pick<Transposed, "activation"> {
  readonly x: Placed;
  readonly w: Placed;
  readonly bias: Placed | undefined;
  readonly y: Placed;
  readonly stride: readonly [number, number];
  readonly before: readonly [number, number];
}

/** Appends a convolution for each phase of the output, or of its lines where the phases of a line read the same pixels. */
export function lowerTransposedImages(
  to: Lowering,
  { x, w, bias, y, stride, before, activation }: TransposedImages,
): void {
  const [outputs, kH, kW] = dimensions(w.shape, 4);
  const [batch, inH, inW, channels] = dimensions(x.shape, 4);
  const [, outH, outW] = dimensions(y.shape, 4);
  const hybrid = w.dtype !== "float32";
  const data = hybrid ? int8Or4(w) : floatsOf(w);
  const repeated = bias === undefined || bias.data !== undefined;
  const times = Math.min(stride[1], outW);
  lowerTransposed(to, {
    x: x.address,
    y: y.address,
    ...(bias?.data === undefined ? biasAt(bias) : { bias: to.place(repeat(bias.data, times)) }),
    ...(repeated ? { repeated } : {}),
    batch,
    channels,
    outputs,
    input: [1, inH, inW],
    output: [1, outH, outW],
    kernel: [1, kH, kW],
    stride: [1, ...stride],
    before: [0, ...before],
    activation,
    ...(hybrid ? { scaleTable: placeScales(to, w, 0, outputs, times) } : {}),
    weight: (o, _z, y, x, c) => data[((o * kH + y) * kW + x) * channels + c] as number,
  });
}

/** The same bytes several times. */
function repeat(data: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(data.length * times);
  for (let i = 0; i < times; i++) all.set(data, i * data.length);
  return all;
}

/** Appends one convolution for each phase; phases of a line that read the same pixels are columns of one product. */
export function lowerTransposed(to: Lowering, t: Transposed): void {
  const axis = (i: 0 | 1 | 2) => phases(t.output[i], t.kernel[i], t.stride[i], t.before[i]);
  const line = axis(2);
  const [{ taps, count, before } = { taps: [], count: 0, before: 0 }] = line;
  const one = line.every((w) => w.taps.length === taps.length && w.count === count && w.before === before);
  const columns = t.repeated && one ? [line] : line.map((w) => [w]);
  for (const d of axis(0)) for (const h of axis(1)) for (const ws of columns) lowerPhase(to, t, d, h, ws);
}

function lowerPhase(to: Lowering, t: Transposed, d: Phase, h: Phase, ws: readonly Phase[]): void {
  const { channels: c, outputs, output } = t;
  const w = ws[0] as Phase;
  const n = outputs * ws.length;
  const kernel: Size3 = [d.taps.length, h.taps.length, w.taps.length];
  const k = kernel[0] * kernel[1] * kernel[2] * c;
  const hybrid = t.scaleTable !== undefined;
  const data = new Float32Array(n * k);
  let at = 0;
  for (const { taps } of ws)
    for (let o = 0; o < outputs; o++)
      for (const z of d.taps)
        for (const y of h.taps) for (const x of taps) for (let i = 0; i < c; i++) data[at++] = t.weight(o, z, y, x, i);
  const pixel = outputs * 4;
  const line = output[2] * pixel;
  const plane = output[1] * line;
  const patches: PatchesF32 = {
    input: t.input,
    channels: c,
    output: [d.count, h.count, w.count],
    kernel,
    stride: [1, 1, 1],
    dilation: [1, 1, 1],
    before: [d.before, h.before, w.before],
    images: t.x,
    yBatch: output[0] * plane,
    yPlane: t.stride[0] * plane,
    yLine: t.stride[1] * line,
  };
  const [lo, hi] = BOUNDS[t.activation];
  const panels = hybrid ? packPanelsHybrid(Int8Array.from(data), n, k / c, c, to.packer) : packPanelsF32(data, n, k);
  const m = t.batch * d.count * h.count * w.count;
  const product = {
    x: t.x,
    y: t.y + d.first * plane + h.first * line + w.first * pixel,
    w: to.place(panels),
    m,
    n,
    k,
    lo,
    hi,
    xStride: c * 4,
    yStride: t.stride[2] * pixel,
    ...(t.bias === undefined ? {} : { bias: t.bias }),
    ...(t.scaleTable === undefined ? {} : { scaleTable: t.scaleTable, asymmetric: true }),
  };
  callConv(
    to,
    hybrid ? "convHybrid" : "convF32",
    product,
    patches,
    `transposed ${hybrid ? "hybrid" : "gemmF32"} ${m}x${n}x${k}`,
  );
}
