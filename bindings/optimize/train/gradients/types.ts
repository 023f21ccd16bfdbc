import type { Node, OpKind, TensorId } from "../../../graph.ts";
import type { NodeView } from "../../../ops/types.ts";
import type { KernelCall } from "../../../primitives/registry.ts";

/** A weight in memory: its values as the forward step reads them, and where its gradient goes. */
export interface Parameter {
  readonly value: number;
  readonly gradient: number;
}

/** A layer's batch normalization, and whatever it needs in memory. */
export interface Norm {
  readonly gamma: Parameter;
  readonly beta: Parameter;
  readonly mean: number;
  readonly inverse: number;
  readonly runningMean: number;
  readonly runningVariance: number;
  /** The layer's result before it. */
  readonly z: number;
}

/** Where the gradient of an input goes. */
interface Target {
  readonly address: number;
  /** 1 where it is added to what is there. */
  readonly accumulate: 0 | 1;
}

/** What a node's steps are written into. */
export interface Tape {
  /** The activation, or the constant, as later nodes read it. */
  value(id: TensorId): number;
  /** The weights of a layer. */
  weights(node: Node): Parameter;
  /** Its bias; undefined where it has none. */
  bias(node: Node): Parameter | undefined;
  norm(node: Node): Norm | undefined;
  /** The gradient of an activation that has been summed up; 0 where nobody needs this output, of several. */
  gradient(id: TensorId): number;
  /** Where the gradient of an activation is to be written; undefined where nobody needs it. */
  give(id: TensorId): Target | undefined;
  /** Memory for a step or two, which is given back after the node. */
  temporary(floats: number): number;
  /** Memory for the whole step. */
  keep(floats: number): number;
  /** Memory that holds these numbers. */
  constant(values: Float32Array): number;
  /** 12 zero bytes. */
  readonly zeros: number;
  call(call: KernelCall, work: { readonly macs?: number; readonly elements?: number }, scratchBytes?: number): void;
}

/** One operator's steps, forward and backward: the gradient has its place beside the forward. */
export interface Gradient<K extends OpKind> {
  forward(node: Node<K>, view: NodeView<K>, tape: Tape): void;
  backward(node: Node<K>, view: NodeView<K>, tape: Tape): void;
  /** Input that holds weights, and the axis of its output channels; absent where there are none. */
  readonly weights?: { readonly input: number; readonly bias: number; readonly axis: number };
  /** True where the output is the input's bytes. */
  readonly alias?: boolean;
}
