import type { AnyNode, Attributes, Graph, OpKind, TensorId } from "../graph.ts";
import type { ModuleName, Optimize } from "../primitives/modules.ts";
import type { KernelCall } from "../primitives/registry.ts";
import type { Packer, Packing } from "../primitives/requantize/types.ts";
import type { Tensor, TensorType } from "../tensor.ts";

/** What `infer` and `fold` see of a node: its tensors in place of their ids; `undefined` for absent optional ones. */
export interface NodeView<K extends OpKind> {
  readonly where: string;
  readonly attributes: Attributes[K];
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
}

/** A tensor placed in linear memory. */
export interface Placed extends Tensor {
  /** Byte address, 16-byte aligned. */
  readonly address: number;
}

/** What `lower` works with: placed tensors, the image to put constants in, and the list of steps. */
export interface Lowering {
  readonly module: ModuleName;
  /** What to spare where there is a choice. */
  readonly optimize: Optimize;
  /** Who looks for proofs and packs panels. */
  readonly packer: Packer;
  /** Lowerings of products by rarer types. */
  readonly products?: Products | undefined;
  readonly inputs: readonly (Placed | undefined)[];
  readonly outputs: readonly Placed[];
  /** Byte address of input i; 0 where an optional one is absent. */
  input(this: Pick<Lowering, "inputs">, i: number): number;
  /** Byte address of output i; 0 where it has none. */
  output(this: Pick<Lowering, "outputs">, i: number): number;
  /** Puts constant bytes into the memory image, 16-byte aligned, and returns their address. Equal bytes are shared. */
  place(bytes: Uint8Array | Packing): number;
  /** Asks for scratch bytes per thread and returns the address of thread 0's; thread t's is `t·scratchStride` after. */
  scratch(bytes: number): ScratchAddress;
  /** Appends one kernel call. */
  call(call: KernelCall): void;
  /** Appends a call of a user's operator on the host. */
  host?(call: HostCall): void;
}

/** A user's operator with its tensors. */
interface HostCall {
  readonly name: string;
  /** Bytes of its options. */
  readonly options: readonly number[];
  readonly inputs: readonly Placed[];
  readonly outputs: readonly Placed[];
}

/** Scratch is placed after the image; the two fields of a parameter block are patched when all sizes are known. */
export type ScratchAddress = { readonly scratch: 0; readonly scratchStride: 0 };

/** One operator. `infer` refuses whatever the kernels cannot run; after it everything is trusted. */
export interface Operator<K extends OpKind> {
  /** Checks the numbered constraints and returns each output's type. */
  infer(node: NodeView<K>): readonly TensorType[];
  /**
   * Computes the outputs of a node whose inputs are all constants; absent where that is not worth code, undefined where
   * this node is better computed at run time.
   */
  fold?(node: NodeView<K>): readonly Uint8Array[] | undefined;
  /** True where `fold` looks at the inputs' types alone: it runs whether they are constants or not. */
  readonly fromTypes?: boolean;
  /** True where output 0 is input 0's bytes unchanged: no step, no memory. */
  readonly alias?: boolean;
  /**
   * The bytes of output 0 for such bytes of each input, which are all of int8 or uint8, as the kernels compute them: of an
   * operator that looks at one element of each.
   */
  bytes?(node: NodeView<K>, values: readonly Uint8Array[]): Uint8Array;
  /** Inputs whose memory output 0 may overwrite because element i is read before element i is written. */
  inPlace?(node: NodeView<K>): readonly number[];
  /** Elements that are read or written where output 0 lies over what may be overwritten; those of the largest tensor where absent. */
  touched?(node: NodeView<K>): number;
  /** Multiply-accumulates of one run; 0 where absent. */
  macs?(node: NodeView<K>): number;
  /** Chooses kernels and packs weights. Absent for aliases. */
  lower?(node: NodeView<K>, to: Lowering): void;
}

/** What passing open rows on takes. */
export interface Rows {
  /** Nodes that count, before the node. */
  readonly before: readonly AnyNode[];
  /** Marks the node's outputs, whose types are in `tensors`, and gives the nodes that count them. */
  mark(): readonly AnyNode[];
}

/** What is done about tensors whose sizes only a run can tell; `writers` are the nodes before, by what they write. */
export interface Opening {
  /**
   * The node with its graphs' types as `specialise` gives it; nodes in place of a loop whose state grows, or of branches whose
   * results differ in shape.
   *
   * Errors: UNSUPPORTED where a loop has more turns than there is room for, or changes variables.
   */
  flattened<T extends { readonly node: AnyNode }>(
    node: AnyNode,
    tensors: Tensor[],
    specialise: () => T,
  ): T | readonly AnyNode[];
  /**
   * How the node passes open rows on; undefined where none of its inputs has such.
   *
   * Errors: UNSUPPORTED where it looks at more than one row, or an input is open in another way.
   */
  openRows(node: AnyNode, view: NodeView<OpKind>, tensors: Tensor[]): Rows | undefined;
  /** The nodes in place of one that asks for an open size, or takes a part of computed size; undefined where it stays. */
  withoutOpenSizes(
    node: AnyNode,
    tensors: Tensor[],
    writers: ReadonlyMap<TensorId, AnyNode>,
  ): readonly AnyNode[] | undefined;
  /** Puts what moves known elements out of partly known vectors of sizes into `tensors`; false where the node has to run. */
  foldMoved(node: AnyNode, tensors: Tensor[], writers: Map<TensorId, AnyNode>): boolean;
  /** After the steps of a node: those that keep what is known to be too much of its outputs, in places of their own. */
  watched(to: Lowering, placeOwn: (bytes: Uint8Array) => number): void;
}

/** Lowerings of products by the types that ordinary networks do not have. */
export type Products = {
  readonly [K in OpKind & ("conv2d" | "depthwiseConv2d" | "fullyConnected")]: {
    readonly [type: string]: (node: NodeView<K>, to: Lowering) => void;
  };
};

/** The table of all operators, with what ordinary networks do not need: absent where the graph is one. */
export type Operators = { readonly [K in OpKind]: Operator<K> } & {
  /** For graphs with tensors that may be open. */
  readonly opening?: Opening;
  /** For graphs that TFLite Micro refuses. */
  readonly liteRounding?: (graph: Graph) => Graph;
  /** For graphs with products of other types than int8 by constant int8. */
  readonly products?: Products;
};
