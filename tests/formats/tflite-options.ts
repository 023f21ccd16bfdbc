/** Options of the operators for build-tflite.ts, with the names of the schema in short. */
import type { Fields } from "./flat.ts";

interface Options {
  readonly type: number;
  readonly fields: Fields;
}

const PADDING = { same: 0, valid: 1 };
const ACTIVATION = { none: 0, relu: 1, reluN1To1: 2, relu6: 3, tanh: 4, signBit: 5 };

interface Activated {
  readonly activation?: keyof typeof ACTIVATION | number;
}

interface Window extends Activated {
  readonly padding?: keyof typeof PADDING | number;
  /** `[height, width]`. */
  readonly stride?: readonly [number, number];
}

interface Dilated extends Window {
  readonly dilation?: readonly [number, number];
}

interface Aligned {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

function int32(value: number) {
  return { int32: value };
}

function padding(value: Window["padding"] = "same") {
  return { int8: typeof value === "number" ? value : PADDING[value] };
}

function activation(value: Activated["activation"] = "none") {
  return { int8: typeof value === "number" ? value : ACTIVATION[value] };
}

function activated(type: number) {
  return (o: Activated = {}): Options => ({ type, fields: { 0: activation(o.activation) } });
}

/** One function per options table; absent members get stride 1, dilation 1, filter 1, SAME, no activation. */
export const options = {
  conv2d: ({ stride = [1, 1], dilation = [1, 1], ...o }: Dilated): Options => ({
    type: 1,
    fields: {
      0: padding(o.padding),
      1: int32(stride[1]),
      2: int32(stride[0]),
      3: activation(o.activation),
      4: int32(dilation[1]),
      5: int32(dilation[0]),
    },
  }),
  depthwiseConv2d: ({
    stride = [1, 1],
    dilation = [1, 1],
    multiplier = 1,
    ...o
  }: Dilated & { readonly multiplier?: number }): Options => ({
    type: 2,
    fields: {
      0: padding(o.padding),
      1: int32(stride[1]),
      2: int32(stride[0]),
      3: int32(multiplier),
      4: activation(o.activation),
      5: int32(dilation[1]),
      6: int32(dilation[0]),
    },
  }),
  pool2d: ({
    stride = [1, 1],
    filter = [1, 1],
    ...o
  }: Window & { readonly filter?: readonly [number, number] }): Options => ({
    type: 5,
    fields: {
      0: padding(o.padding),
      1: int32(stride[1]),
      2: int32(stride[0]),
      3: int32(filter[1]),
      4: int32(filter[0]),
      5: activation(o.activation),
    },
  }),
  fullyConnected: (o: Activated & { readonly format?: number; readonly keepDims?: boolean }): Options => ({
    type: 8,
    fields: { 0: activation(o.activation), 1: { int8: o.format ?? 0 }, 2: { int8: Number(o.keepDims ?? false) } },
  }),
  softmax: ({ beta = 1 }: { readonly beta?: number }): Options => ({ type: 9, fields: { 0: { float32: beta } } }),
  concatenation: (o: Activated & { readonly axis: number }): Options => ({
    type: 10,
    fields: { 0: int32(o.axis), 1: activation(o.activation) },
  }),
  add: activated(11),
  mul: activated(21),
  sub: activated(28),
  reshape: ({ shape }: { readonly shape?: readonly number[] }): Options => ({
    type: 17,
    fields: { 0: shape && { int32s: shape } },
  }),
  mean: ({ keepDims = false }: { readonly keepDims?: boolean }): Options => ({
    type: 27,
    fields: { 0: { int8: Number(keepDims) } },
  }),
  squeeze: ({ axes }: { readonly axes: readonly number[] }): Options => ({ type: 30, fields: { 0: { int32s: axes } } }),
  resizeBilinear: (o: Aligned): Options => ({
    type: 15,
    fields: { 2: { int8: Number(o.alignCorners) }, 3: { int8: Number(o.halfPixelCenters) } },
  }),
  resizeNearestNeighbor: (o: Aligned): Options => ({
    type: 74,
    fields: { 0: { int8: Number(o.alignCorners) }, 1: { int8: Number(o.halfPixelCenters) } },
  }),
  leakyRelu: ({ alpha }: { readonly alpha: number }): Options => ({ type: 75, fields: { 0: { float32: alpha } } }),
};
