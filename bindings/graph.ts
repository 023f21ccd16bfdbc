import type { Tensor } from "./tensor.ts";

/** Index into `Graph.tensors`; −1 stands for an optional input that is not there. */
export type TensorId = number & { readonly __tensor: unique symbol };
/** An absent optional input. */
export const NONE = -1 as TensorId;

/** Clamp that an operator applies to its own result. */
export type Activation = "none" | "relu" | "relu6" | "reluN1To1";

/** Spatial padding: a rule, or explicit zero-point rows and columns once a PAD has been folded in. */
export type Padding =
  | "same"
  | "valid"
  | { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number };

/** Attributes of each operator, by kind. Sizes are `[height, width]`. */
export interface Attributes {
  /** x `[N,H,W,C]`, weights `[O,kH,kW,C/groups]` (OHWI), bias `[O]` optional. */
  readonly conv2d: {
    readonly stride: readonly [number, number];
    readonly dilation: readonly [number, number];
    readonly padding: Padding;
    readonly activation: Activation;
  };
  /** x `[N,H,W,C]`, weights `[1,kH,kW,C·multiplier]`, bias optional. */
  readonly depthwiseConv2d: {
    readonly stride: readonly [number, number];
    readonly dilation: readonly [number, number];
    readonly padding: Padding;
    readonly activation: Activation;
  };
  /** x `[…,K]`, weights `[N,K]`, bias `[N]` optional. */
  readonly fullyConnected: { readonly activation: Activation; readonly keepDims: boolean };
  readonly add: { readonly activation: Activation };
  readonly sub: { readonly activation: Activation };
  readonly mul: { readonly activation: Activation };
  readonly averagePool2d: {
    readonly filter: readonly [number, number];
    readonly stride: readonly [number, number];
    readonly padding: Padding;
    readonly activation: Activation;
  };
  readonly maxPool2d: Attributes["averagePool2d"];
  /** x, axes (int32 constant). */
  readonly mean: { readonly keepDims: boolean };
  /** x, paddings `[rank,2]` (constant), value (optional constant). */
  readonly pad: Record<never, never>;
  readonly concat: { readonly axis: number; readonly activation: Activation };
  /** x, shape (optional constant; else `shape`). */
  readonly reshape: { readonly shape?: readonly number[] };
  readonly squeeze: { readonly axes: readonly number[] };
  /** x, axis (constant). */
  readonly expandDims: Record<never, never>;
  /** x, permutation (constant). */
  readonly transpose: Record<never, never>;
  readonly softmax: { readonly beta: number };
  readonly logistic: Record<never, never>;
  readonly tanh: Record<never, never>;
  readonly resizeBilinear: { readonly alignCorners: boolean; readonly halfPixelCenters: boolean };
  readonly resizeNearestNeighbor: { readonly alignCorners: boolean; readonly halfPixelCenters: boolean };
  readonly relu: Record<never, never>;
  readonly relu6: Record<never, never>;
  readonly reluN1To1: Record<never, never>;
  readonly leakyRelu: { readonly alpha: number };
  readonly hardSwish: Record<never, never>;
  readonly quantize: Record<never, never>;
  readonly dequantize: Record<never, never>;
}

export type OpKind = keyof Attributes;

/** One operator of a graph. */
export interface Node<K extends OpKind = OpKind> {
  readonly kind: K;
  /** Place in the source file, for messages: `node 3 (CONV_2D)`. */
  readonly where: string;
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  readonly attributes: Attributes[K];
}

/** A node of any kind, as a union discriminated by `kind`. */
export type AnyNode = { readonly [K in OpKind]: Node<K> }[OpKind];

/** A portable network: it knows no tile, no address and no module. */
export interface Graph {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  /** In an order in which they can run. */
  readonly nodes: readonly AnyNode[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Further subgraphs of the file, which control flow would call. */
  readonly subgraphs: readonly Graph[];
}

/** A named input or output. */
export interface Port {
  readonly name: string;
  readonly tensor: TensorId;
}

/** The tensor with this id. Ids inside a verified graph always exist. */
export function tensorOf(graph: Graph, id: TensorId): Tensor {
  return graph.tensors[id] as Tensor;
}
