/** The operators that can be trained, each with its steps forward and backward. */
import type { Node, OpKind } from "../../../graph.ts";
import { add, div, mul, squaredDifference, sub } from "./binary.ts";
import { conv2d } from "./conv2d.ts";
import { depthwiseConv2d } from "./depthwiseConv2d.ts";
import {
  abs,
  elu,
  exp,
  gelu,
  hardSwish,
  leakyRelu,
  log,
  logistic,
  neg,
  relu,
  relu0To1,
  relu6,
  reluN1To1,
  rsqrt,
  sqrt,
  square,
  tanh,
} from "./elementwise.ts";
import { maximum, minimum } from "./extremes.ts";
import { fullyConnected } from "./fullyConnected.ts";
import { batchMatMul } from "./matrices.ts";
import { pad, resizeBilinear, resizeNearestNeighbor, slice, sum } from "./mixed.ts";
import { moved } from "./moved.ts";
import { l2Normalization, layerNorm } from "./normalization.ts";
import { averagePool2d, maxPool2d, mean, reduceMax } from "./pooling.ts";
import { pow } from "./pow.ts";
import { concat, expandDims, reshape, squeeze } from "./shapes.ts";
import { logSoftmax, prelu, softmax } from "./softmax.ts";
import { transpose } from "./transpose.ts";
import { transposeConv, transposeConvBias } from "./transposeConv.ts";
import type { Gradient } from "./types.ts";

const GRADIENTS: { readonly [K in OpKind]?: Gradient<K> } = {
  abs,
  add,
  averagePool2d,
  batchMatMul,
  batchToSpace: moved,
  concat,
  conv2d,
  depthToSpace: moved,
  depthwiseConv2d,
  div,
  elu,
  exp,
  expandDims,
  fullyConnected,
  gather: moved,
  gelu,
  hardSwish,
  l2Normalization,
  layerNorm,
  leakyRelu,
  log,
  logistic,
  logSoftmax,
  maximum,
  maxPool2d,
  mean,
  minimum,
  mirrorPad: moved,
  mul,
  neg,
  pack: moved,
  pad,
  pow,
  prelu,
  reduceMax,
  relu,
  relu0To1,
  relu6,
  reluN1To1,
  reshape,
  resizeBilinear,
  resizeNearestNeighbor,
  reverse: moved,
  rsqrt,
  slice,
  softmax,
  spaceToBatch: moved,
  spaceToDepth: moved,
  split: moved,
  splitV: moved,
  sqrt,
  square,
  squaredDifference,
  squeeze,
  stridedSlice: moved,
  sub,
  sum,
  tanh,
  tile: moved,
  transpose,
  transposeConv,
  transposeConvBias,
  unpack: moved,
};

/** The names of the operators that can be trained. */
export const TRAINABLE: readonly string[] = Object.keys(GRADIENTS);

/** A node's steps, where there are any. The pairing of kind and attributes is widened here and nowhere else. */
export function gradientOf(node: Node): Gradient<OpKind> | undefined {
  return GRADIENTS[node.kind] as Gradient<OpKind> | undefined;
}
