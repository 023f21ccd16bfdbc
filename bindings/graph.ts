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

/**
 * A quantized operator whose result is rounded by another rule than TensorFlow Lite's: half to even, then the zero point;
 * clamped to `lo` … `hi` steps from the zero point. `onnx`: sums of products times f32(f32(x's scale · w's) / y's); all else
 * in float32, divided by y's scale. `qlinear`: what onnxruntime's QLinearAdd and QLinearMul do in place of that.
 */
export interface Rounding {
  readonly rule: "onnx" | "qlinear";
  readonly lo: number;
  readonly hi: number;
  /** Of products: steps that are added to each channel before rounding, what a bias of floats leaves beside whole ones. */
  readonly offsets?: Float32Array;
}

/**
 * Attributes of each operator, by kind. Every operator's file declares its own here, by augmentation. Sizes are
 * `[height, width]`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: operators add to it
export interface Attributes {}

/** An operator's name: the file format's in camel case, as in `conv2d`. */
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
  /**
   * Several samples at once where the file has one: the inputs whose leading size was multiplied by `size`. Passes refuse
   * the graph where samples would meet.
   */
  readonly batch?: { readonly size: number; readonly inputs: readonly TensorId[] };
  /** Inputs that were given another shape than their file has, and what that has. */
  readonly reshaped?: readonly { readonly name: string; readonly tensor: TensorId; readonly from: readonly number[] }[];
  /** TFLite Micro does not read the file, so that TFLite alone says how it is rounded. */
  readonly withoutMicro?: true;
  /** Further subgraphs of the file. What nodes run is in their own attributes. */
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

/** The graphs that a node runs. */
export function bodiesOf(node: AnyNode): readonly Graph[] {
  return "bodies" in node.attributes ? node.attributes.bodies : [];
}

/** The node with other graphs to run. */
export function withBodies(node: AnyNode, bodies: readonly Graph[]): AnyNode {
  return { ...node, attributes: { ...node.attributes, bodies } } as AnyNode;
}
