/** The operators that can be trained, each with its steps forward and backward. */
import type { Node, OpKind } from "../../../graph.ts";
import { add, div, mul, squaredDifference, sub } from "./binary.ts";
import { conv2d } from "./conv2d.ts";
import { depthwiseConv2d } from "./depthwiseConv2d.ts";
import { elu, exp, gelu, hardSwish, leakyRelu, logistic, relu, relu6, reluN1To1, rsqrt, tanh } from "./elementwise.ts";
import { fullyConnected } from "./fullyConnected.ts";
import { pad, resizeBilinear, resizeNearestNeighbor, slice, sum } from "./mixed.ts";
import { averagePool2d, maxPool2d, mean } from "./pooling.ts";
import { concat, expandDims, reshape, squeeze } from "./shapes.ts";
import { prelu, softmax } from "./softmax.ts";
import { transpose } from "./transpose.ts";
import type { Gradient } from "./types.ts";

const GRADIENTS: { readonly [K in OpKind]?: Gradient<K> } = {
  add,
  averagePool2d,
  concat,
  conv2d,
  depthwiseConv2d,
  div,
  elu,
  exp,
  expandDims,
  fullyConnected,
  gelu,
  hardSwish,
  leakyRelu,
  logistic,
  maxPool2d,
  mean,
  mul,
  pad,
  prelu,
  relu,
  relu6,
  reluN1To1,
  reshape,
  resizeBilinear,
  resizeNearestNeighbor,
  rsqrt,
  slice,
  softmax,
  squaredDifference,
  squeeze,
  sub,
  sum,
  tanh,
  transpose,
};

/** The names of the operators that can be trained. */
export const TRAINABLE: readonly string[] = Object.keys(GRADIENTS);

/** A node's steps, where there are any. The pairing of kind and attributes is widened here and nowhere else. */
export function gradientOf(node: Node): Gradient<OpKind> | undefined {
  return GRADIENTS[node.kind] as Gradient<OpKind> | undefined;
}
