/** Where the output pixels of a resize come from, along one axis: TFLite's rules for its two operators. */
import { roundHalfAway } from "../requantize/quantization.ts";

/** Which points of the input and the output lie on each other: their corners, or the centres of their pixels. */
export interface Alignment {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** For each output position the positions before and after it, and how far it is between them, in 1024ths or as a float32. */
export type Axis = readonly { readonly first: number; readonly second: number; readonly fraction: number }[];

const UNIT = 1024;

/** The nearest input position, in float32 arithmetic. */
export function nearestAxis(input: number, output: number, { alignCorners, halfPixelCenters }: Alignment): Axis {
  const corners = alignCorners && output > 1;
  const scale = corners ? Math.fround((input - 1) / (output - 1)) : Math.fround(input / output);
  return Array.from({ length: output }, (_, i) => {
    const at = Math.fround(Math.fround(i + (halfPixelCenters ? 0.5 : 0)) * scale);
    const first = Math.min(alignCorners ? roundHalfAway(at) : Math.floor(at), input - 1);
    return { first, second: first, fraction: 0 };
  });
}

/** The two input positions and the place between them, in integer arithmetic. */
export function bilinearAxis(input: number, output: number, { alignCorners, halfPixelCenters }: Alignment): Axis {
  const corners = alignCorners && output > 1;
  const [from, to] = corners ? [input - 1, output - 1] : [input, output];
  const scale = Math.floor((UNIT * from + Math.floor(to / 2)) / to);
  return Array.from({ length: output }, (_, i) => {
    const at = i * scale + (halfPixelCenters ? Math.floor(scale / 2) - UNIT / 2 : 0);
    const first = Math.max(Math.trunc(at / UNIT), 0);
    const second = Math.min(Math.trunc((at + UNIT - 1) / UNIT), input - 1);
    // A scale that was rounded up can lead beyond the last position of a small input, which then stands alone.
    return first < input ? { first, second, fraction: at - UNIT * first } : { first: second, second, fraction: 0 };
  });
}

/** The two input positions and the place between them, in float32 arithmetic. */
export function realAxis(input: number, output: number, { alignCorners, halfPixelCenters }: Alignment): Axis {
  const corners = alignCorners && output > 1;
  const scale = corners ? Math.fround((input - 1) / (output - 1)) : Math.fround(input / output);
  return Array.from({ length: output }, (_, i) => {
    const shifted = Math.fround(Math.fround(i + 0.5) * scale);
    const at = halfPixelCenters ? Math.fround(shifted - 0.5) : Math.fround(i * scale);
    const first = Math.min(Math.max(Math.floor(at), 0), input - 1);
    const second = Math.min(Math.ceil(at), input - 1);
    return { first, second, fraction: Math.fround(at - first) };
  });
}

/** An axis as the kernels read it, with positions `stride` bytes apart; `real` fractions are float32. */
export function axisBytes(axis: Axis, stride: number, real = false): Uint8Array {
  const view = new DataView(new ArrayBuffer(axis.length * 12));
  for (const [i, { first, second, fraction }] of axis.entries()) {
    view.setUint32(i * 12, first * stride, true);
    view.setUint32(i * 12 + 4, second * stride, true);
    if (real) view.setFloat32(i * 12 + 8, fraction, true);
    else view.setInt32(i * 12 + 8, fraction, true);
  }
  return new Uint8Array(view.buffer);
}
