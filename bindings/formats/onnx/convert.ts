/** ONNX nodes → graph nodes: the walk over a graph, and what a conversion sees of a node. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { AnyNode, Graph, Port, TensorId } from "../../graph.ts";
import type { Operators } from "../../ops/types.ts";
import { BITS, type DType, type Tensor, typedCopy } from "../../tensor.ts";
import { COMPUTED, shorten } from "../text.ts";
import type { AddHere, Builder } from "./builder.ts";
import type { Integers } from "./integer/network.ts";
import { channelsLast, type Inputs, isOpen, type Open, plain, type Value } from "./layout.ts";
import type { AttributeProto, FunctionProto, GraphProto, NodeProto, ValueProto } from "./messages.ts";
import { inOrder, type Placed } from "./order.ts";
import { typingOf } from "./precision.ts";
import { dtypeOf, type ExternalData, tensorOf } from "./tensors.ts";

/** A node under conversion. */
export interface OnnxNode {
  readonly where: string;
  readonly operator: string;
  /** Version of the operator's domain. */
  readonly opset: number;
  readonly b: Builder;
  readonly add: AddHere;
  readonly scope: Scope;
  readonly inputs: Inputs;
  readonly outputs: readonly string[];
  /** Input i; INVALID_MODEL where it is absent. */
  input(i: number): Value;
  /** The tensor of a value in ONNX's order, or with its channels last. */
  plain(value: Value): TensorId;
  last(value: Value): TensorId;
  /** A value within an operator that onnxruntime computes on float16 itself: what float16 has of it, in float32. */
  rounded(id: TensorId): TensorId;
  /** The numbers of input i where it is a constant; `undefined` where the input is absent. */
  numbers(i: number): readonly number[] | undefined;
  /** The first number of input i, a constant; `otherwise` where there is none. */
  number(i: number, otherwise: number): number;
  int(name: string, otherwise: number): number;
  float(name: string, otherwise: number): number;
  string(name: string, otherwise: string): string;
  ints(name: string): readonly number[] | undefined;
  floats(name: string): readonly number[] | undefined;
  attribute(name: string): AttributeProto | undefined;
  /** The element type that a code of TensorProto.DataType stands for. */
  typeOf(code: number): DType;
  /** Gives output i its value; `isWhole`: all of it counts, whatever counts of the inputs. */
  set(i: number, value: Omit<Value, "name" | "dtype"> & { readonly dtype?: DType; readonly isWhole?: true }): void;
  /** The same for a tensor in ONNX's order. */
  setPlain(i: number, id: TensorId): void;
  /** The same for a tensor with its channels last, of this shape in ONNX's order. */
  setLast(i: number, id: TensorId, shape: readonly number[]): void;
  /** UNSUPPORTED for a form of the operator that pint8 lacks. */
  refuse(expected: string, received: string, hint?: string): never;
  /** Converts `n`, this node or one like it, as a form that few models have. */
  rarely(form: Form, n: OnnxNode): void;
}

export type Conversion = (node: OnnxNode) => void;
/** By name; operators of other domains as `domain.Name`. */
export type Conversions = { readonly [operator: string]: Conversion | undefined };

/** Forms of ordinary operators that few models have. */
export type Form =
  | "cast to few bits"
  | "computed normalization"
  | "computed quantization"
  | "computed scales"
  | "computed slice"
  | "continued padding"
  | "maxima"
  | "means"
  | "normalized product"
  | "open reduction"
  | "sums of integers"
  | "unsigned arithmetic"
  | "volume"
  | "whole product"
  | "whole relu";

/** What few models need (`rare.ts`). */
export interface Rare {
  /** Operators that are not ordinary ones. */
  readonly conversions: Conversions;
  readonly forms: { readonly [F in Form]: Conversion };
  /** The inputs where an attribute says from which dimension on the second stands. */
  aligned(node: NodeProto, where: string, b: Builder, inputs: Inputs): Inputs;
  openOf(n: OnnxNode, shape: readonly number[]): Open | undefined;
  readonly opened: Conversions;
  inlineFunctions(graph: GraphProto, functions: readonly FunctionProto[]): GraphProto;
  readonly slopedOf: Integers;
  fuseGelu(tensors: readonly Tensor[], nodes: readonly AnyNode[], ends: readonly TensorId[]): readonly AnyNode[];
}

/** What is thrown where a model needs what is rare, and it is not at hand. */
export const NEEDS_RARE = new Error("what few models need");

/** What conversions share. */
export interface Shared {
  readonly b: Builder;
  conversionOf(key: string): Conversion | undefined;
  readonly opsets: ReadonlyMap<string, number>;
  readonly external: ExternalData;
  /** NEEDS_RARE where it is not at hand. */
  rare(): Rare;
  readonly inner: Inner;
}

/** What converts graphs within nodes. Conversions are given it, for those that come later have no copy of it. */
export interface Inner {
  readonly createBuilder: (operators: Operators) => Builder;
  readonly createScope: (
    shared: Shared,
    graph: GraphProto,
    outer: Scope,
    prefix: string,
    isUncertain?: boolean,
  ) => Scope;
  readonly convertGraph: (graph: GraphProto, scope: Scope) => void;
  readonly graphOf: (b: Builder, name: string, inputs: readonly Port[], outputs: readonly Port[], rare: Rare) => Graph;
}

/** Names of one graph and of the graphs around it. */
export interface Scope {
  readonly shared: Shared;
  readonly prefix: string;
  /** Whether it is computed in runs, too, that have no use for it: a branch, or a turn, which data decides. */
  readonly isUncertain: boolean;
  lookup(name: string): Value | undefined;
  define(name: string, value: Value): void;
  /** The nodes that read a value of this graph. */
  readers(name: string): readonly NodeProto[];
  /** Whether the graph gives this value out. */
  isOutput(name: string): boolean;
  /** Whether a node of this graph computes it, even of constants alone. */
  isComputed(name: string): boolean;
  /** The dimensions that the graph says an output has. */
  declared(name: string): ValueProto["dims"];
}

/** Domains of QONNX's operators, which stand in the table once. */
const QONNX = ["onnx.brevitas", "finn.custom_op.general", "qonnx.custom_op.general"];

/** The key of a node in the table of conversions. */
export const keyOf = ({ domain, operator }: Pick<NodeProto, "domain" | "operator">): string =>
  domain === "" ? operator : `${QONNX.includes(domain) ? "qonnx" : domain}.${operator}`;

/** A value of a constant or declared tensor, in ONNX's order. */
export function asValue(b: Builder, name: string, id: TensorId, code?: number): Value {
  const { dtype, shape } = b.tensor(id);
  return { name, dtype, shape, twins: { plain: id }, ...(code === undefined ? {} : { code }) };
}

/**
 * Converts a graph's initializers, and its nodes when what is returned is called, in an order in which they can run. A call goes on at
 * the node that stopped the one before it: a node asks for what is rare before it defines its outputs.
 */
export function conversionsIn(graph: GraphProto, scope: Scope): () => void {
  const { b, external } = scope.shared;
  for (const proto of graph.initializers) {
    const where = `${scope.prefix}initializer "${shorten(proto.name)}"`;
    define(
      scope,
      proto.name,
      asValue(b, proto.name, b.declare(tensorOf(proto, where, external)), proto.dataType),
      where,
    );
  }
  const nodes = inOrder(graph.nodes);
  let done = 0;
  return () => {
    for (; done < nodes.length; done++) {
      const [index, node] = nodes[done] as Placed;
      convertNode(node, index, scope);
    }
  };
}

function define(scope: Scope, name: string, value: Value, where: string): void {
  ensure(scope.lookup(name) === undefined, "INVALID_MODEL", () => ({
    where,
    expected: "every name written once",
    received: `"${shorten(name)}" again`,
  }));
  scope.define(name, value);
}

/** `node 3 (Conv)`: by the file's order. */
export const whereOf = (prefix: string, index: number, node: NodeProto): string =>
  `${prefix}node ${index} (${shorten(keyOf(node))})`;

function convertNode(node: NodeProto, index: number, scope: Scope): void {
  const where = whereOf(scope.prefix, index, node);
  const conversion = scope.shared.conversionOf(keyOf(node));
  if (conversion === undefined)
    throw new Pint8Error("UNSUPPORTED", { where, expected: "an operator that pint8 runs", received: keyOf(node) });
  const inputs = node.inputs.map((name) => {
    if (name === "") return undefined;
    const value = scope.lookup(name);
    ensure(value !== undefined, "INVALID_MODEL", () => ({
      where,
      expected: "inputs that are written before",
      received: `"${shorten(name)}", which no earlier node, input or initializer gives`,
    }));
    return value;
  });
  const { b, rare } = scope.shared;
  const opened = inputs.some(isOpen) ? rare().opened[keyOf(node)] : undefined;
  // before opset 7 a second operand stood from a stated axis on
  const aligned = node.attributes.get("broadcast")?.int ? rare().aligned(node, where, b, inputs) : inputs;
  try {
    (opened ?? conversion)(viewOf(node, where, scope, aligned));
  } catch (cause) {
    // conversions read shapes and attributes as the standard has them; what breaks on others is the model
    if (!(cause instanceof TypeError)) throw cause;
    const expected = "inputs and attributes that fit the operator";
    throw new Pint8Error("INVALID_MODEL", { where, expected, received: "others" }, { cause });
  }
}

function viewOf(node: NodeProto, where: string, scope: Scope, given: Inputs): OnnxNode {
  const { b, opsets } = scope.shared;
  const { inputs, typed, rounded } = typingOf(node, where, given, scope);
  const attribute = (name: string) => node.attributes.get(name);
  const input = (i: number): Value => {
    const value = inputs[i];
    ensure(value !== undefined, "INVALID_MODEL", () => ({ where, expected: `an input ${i}`, received: "none" }));
    return value;
  };
  const refuse = (expected: string, received: string, hint?: string): never => {
    throw new Pint8Error("UNSUPPORTED", { where, expected, received, ...(hint && { hint }) });
  };
  const own: OnnxNode = {
    where,
    operator: node.operator,
    opset: opsets.get(node.domain) ?? 1,
    b,
    add: (kind, ...rest) => b.add(kind, where, ...rest),
    scope,
    inputs,
    outputs: node.outputs,
    input,
    plain: (value) => plain(b, where, value.shape, value.twins),
    last: (value) => channelsLast(b, where, value.shape, value.twins),
    rounded,
    numbers(i) {
      if (inputs[i] === undefined) return undefined;
      const tensor = b.settled(own.plain(input(i)));
      if (tensor.data === undefined) refuse(`input ${i} to be a constant`, "a computed value", COMPUTED);
      return numbersOf(tensor);
    },
    number: (i, otherwise) => own.numbers(i)?.[0] ?? otherwise,
    int: (name, otherwise) => attribute(name)?.int ?? otherwise,
    float: (name, otherwise) => attribute(name)?.float ?? otherwise,
    string: (name, otherwise) => attribute(name)?.string ?? otherwise,
    ints: (name) => attribute(name)?.ints,
    floats: (name) => attribute(name)?.floats,
    attribute,
    typeOf: (code) => dtypeOf(code, where),
    set(i, value) {
      const name = node.outputs[i] ?? "";
      const isAll = value.isWhole || inputs.every((each) => each?.open === undefined);
      const open = value.open ?? (isAll ? undefined : scope.shared.rare().openOf(own, value.shape));
      if (name !== "") define(scope, name, { ...value, ...typed(value), name, ...(open && { open }) }, where);
    },
    setPlain: (i, id) => own.set(i, { shape: b.tensor(id).shape, twins: { plain: id } }),
    setLast: (i, id, shape) => own.set(i, { shape, twins: shape.length < 3 ? { plain: id } : { last: id } }),
    refuse,
    rarely: (form, n) => scope.shared.rare().forms[form](n),
  };
  return own;
}

/** The numbers of a constant; 64-bit integers beyond 2^53 lose their last bits. */
export function numbersOf(tensor: Tensor): readonly number[] {
  const values = typedCopy(tensor.dtype, tensor.data ?? new Uint8Array(0));
  const numbers = new Array<number>(values.length);
  // a call for each of tens of thousands takes longer than all else where nothing is compiled yet
  if (BITS[tensor.dtype] === 64) for (let i = 0; i < numbers.length; i++) numbers[i] = Number(values[i]);
  else for (let i = 0; i < numbers.length; i++) numbers[i] = values[i] as number;
  return numbers;
}
