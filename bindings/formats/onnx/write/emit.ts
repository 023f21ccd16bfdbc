/** What converters of operators write into: names of values, constants, and the integers behind real values. */
import { ensure } from "../../../errors.ts";
import { type Graph, NONE, type Port, type TensorId } from "../../../graph.ts";
import { type DType, elementCount, type Quantization, type Tensor } from "../../../tensor.ts";
import { shorten } from "../../text.ts";
import { DATA_TYPES, type OnnxAttribute, type OnnxOperator, type OnnxTensor } from "./model.ts";
import { Names } from "./names.ts";
import { opsetOf, WIDE } from "./opset.ts";
import { States } from "./states.ts";
import { apart, requireOnnxType, ZEROS } from "./values.ts";

type Held = Pick<Tensor, "dtype" | "shape"> & { readonly quantization: Quantization };

/** Operators that only move elements. */
const MOVING = ["Transpose", "Reshape", "Slice", "Squeeze", "Unsqueeze"];

/** Bytes of constants that are looked for among others at most. */
const MOST_ALIKE = 1024;

/** A graph around another: `names` are those that its inputs have there, `isPart` where its operators stand among the outer ones. */
interface Around {
  readonly to: Emitter;
  readonly names: readonly string[];
  readonly isPart?: boolean;
}

export class Emitter {
  readonly opset: number;
  readonly operators: OnnxOperator[];
  readonly constants: OnnxTensor[];
  /** Nodes that have no form, and how many, by kind. */
  readonly missing: Map<string, number>;
  readonly states: States;
  /** Whether it is within a node. */
  readonly isInner: boolean;
  /** What the file does otherwise than the graph, and how often. */
  readonly said: Map<string, number>;
  /** Tensors whose sizes only a run tells. */
  readonly loose = new Set<TensorId>();
  /** The node that is written. */
  where = "graph";
  /** Whether it works on integers as they are: its result is such without a scale. */
  isRaw = false;
  /** The quantization by which a node takes the bytes of all its inputs, whatever they were quantized by: it only moves them. */
  copied: Quantization | undefined;
  /** Of the file's graph, in the order of its ports. */
  readonly inputNames: readonly string[] = [];
  readonly outputNames: readonly string[] = [];
  readonly #names = new Map<TensorId, string>();
  /** The names of the file. */
  readonly given: Names;
  /** Names of constants by what they hold. */
  readonly #alike: Map<string, string>;
  /**
   * Values behind DequantizeLinear, where what moves them is followed by QuantizeLinear and DequantizeLinear of its own: onnxruntime to 1.30
   * puts those there itself, and in operators of 2024 wrongly for all but uint8.
   */
  readonly #held = new Map<string, Held>();
  /** What the last operator gives, where nothing knows its name yet but who asked for it. */
  #latest: string | undefined;
  /** Names that tensors of the graph have taken the place of. */
  readonly #renamed = new Map<string, string>();
  /** Real values of tensors that hold integers. */
  readonly #reals = new Map<TensorId, string>();

  constructor(
    readonly graph: Graph,
    around?: Around,
  ) {
    const { to: outer, names, isPart = false } = around ?? {};
    this.isInner = outer !== undefined && (outer.isInner || !isPart);
    this.opset = outer?.opset ?? opsetOf(graph);
    this.operators = isPart ? (outer as Emitter).operators : [];
    this.constants = isPart ? (outer as Emitter).constants : [];
    this.#alike = isPart ? (outer as Emitter).#alike : new Map();
    this.missing = outer?.missing ?? new Map();
    this.said = outer?.said ?? new Map();
    this.states = outer?.states ?? new States();
    this.given = outer?.given ?? new Names();
    if (names !== undefined) {
      for (const [i, { tensor }] of graph.inputs.entries()) this.#names.set(tensor, names[i] ?? "");
      return;
    }
    // Of a file all names differ; inputs and outputs may be called the same, as states are, and a tensor be two of them.
    const named = ({ name, tensor }: Port, i: number, kind: string) => {
      const isSecond = kind === "output" && this.given.isTaken(name);
      const own = this.fresh(isSecond ? `${name}/out` : name || `${kind}_${i}`);
      if (own !== name) this.say(`${kind} "${shorten(name)}" is called "${shorten(own)}"`);
      if (!this.#names.has(tensor) && graph.tensors[tensor]?.data === undefined) this.#names.set(tensor, own);
      return own;
    };
    this.inputNames = graph.inputs.map((port, i) => named(port, i, "input"));
    this.outputNames = graph.outputs.map((port, i) => named(port, i, "output"));
  }

  tensor(id: TensorId | undefined): Tensor {
    const tensor = this.graph.tensors[id ?? NONE];
    ensure(tensor !== undefined, "INVALID_GRAPH", () => ({
      where: this.where,
      expected: "the inputs and outputs that its operator has",
      received: "fewer",
    }));
    return tensor;
  }

  /** The name of a tensor's value as the graph has it; constants are written with it. */
  name(id: TensorId): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const tensor = this.tensor(id);
    if (tensor.variable === true) return this.states.valueOf(tensor, id, this);
    const name = this.fresh(tensor.name || `tensor ${id}`);
    this.#names.set(id, name);
    if (tensor.data !== undefined) this.#constant(name, tensor);
    return name;
  }

  /** Tells whoever writes the file of something that it cannot say. */
  say(what: string): void {
    this.said.set(what, (this.said.get(what) ?? 0) + 1);
  }

  /** A name that nothing has. */
  fresh = (wanted: string): string => this.given.fresh(wanted);

  #constant(name: string, tensor: Tensor): void {
    const { data = new Uint8Array(0), shape, dtype } = tensor;
    requireOnnxType(name, dtype);
    const whole = dtype === "int4" ? apart(data, elementCount(shape)) : data;
    this.constants.push({ name, shape, dtype, data: whole });
  }

  /** A constant; one that is the same as one before, as scales and sizes are, is that one. */
  constant(wanted: string, dtype: DType, shape: readonly number[], data: ArrayBufferView): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = bytes.length > MOST_ALIKE ? undefined : [dtype, shape, bytes].join(" ");
    const known = key === undefined ? undefined : this.#alike.get(key);
    if (known !== undefined) return known;
    const name = this.fresh(wanted);
    this.constants.push({ name, dtype, shape, data: bytes });
    if (key !== undefined) this.#alike.set(key, name);
    return name;
  }

  /** Refuses numbers that come of dimensions which a tensor does not have. */
  #require(values: readonly unknown[]): void {
    ensure(
      values.every((value) => (typeof value === "number" ? Number.isFinite(value) : value !== undefined)),
      "INVALID_GRAPH",
      () => ({ where: this.where, expected: "the dimensions that its operator has", received: "fewer" }),
    );
  }

  integers(wanted: string, values: readonly number[]): string {
    this.#require(values);
    return this.constant(wanted, "int64", [values.length], BigInt64Array.from(values, BigInt));
  }

  add(
    type: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    more: readonly string[] = [],
  ): string {
    this.#require(Object.values(attributes).flat());
    const names = inputs.map((name) => this.#renamed.get(name) ?? name);
    this.operators.push({ type, inputs: names, outputs: [output, ...more], attributes });
    this.#latest = undefined;
    return output;
  }

  /** One more operator whose result has a name of its own. */
  step(type: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    const value = this.add(type, inputs, this.given.made(inputs[0] ?? "", type), attributes);
    const held = this.#held.get(inputs[0] ?? "");
    if (held !== undefined && MOVING.includes(type)) return this.#requantized(value, held);
    this.#latest = value;
    return value;
  }

  /** A value through QuantizeLinear and DequantizeLinear of a tensor's scale; where these do nothing for readers it stays as it is. */
  settled(value: string, id: TensorId): string {
    const { dtype, quantization, shape } = this.tensor(id);
    return quantization !== undefined && this.#isMoved(dtype)
      ? this.#requantized(value, { dtype, quantization, shape })
      : value;
  }

  #isMoved(dtype: DType): boolean {
    return this.opset >= WIDE && dtype !== "uint8";
  }

  #requantized(value: string, { dtype, quantization, shape }: Held): string {
    const inputs = [value, ...this.#scales(value, dtype, quantization, shape)];
    const name = this.add("QuantizeLinear", inputs, this.given.made(value, "int"));
    return this.dequantized(name, dtype, quantization, shape);
  }

  /** The real values of an input: behind DequantizeLinear where the tensor holds integers. */
  real(id: TensorId): string {
    const { dtype, quantization, shape } = this.tensor(id);
    if (quantization === undefined || dtype === "float32" || this.isRaw) return this.name(id);
    if (this.copied !== undefined) return this.dequantized(this.name(id), dtype, this.copied, shape);
    if (this.tensor(id).variable === true) return this.dequantized(this.name(id), dtype, quantization, shape);
    const known = this.#reals.get(id);
    if (known !== undefined) return known;
    const real = this.dequantized(this.name(id), dtype, quantization, shape);
    this.#reals.set(id, real);
    return real;
  }

  dequantized(name: string, dtype: DType, quantization: Quantization, shape: readonly number[]): string {
    const { block, axis: own } = quantization;
    const inputs = [name, ...this.#scales(name, dtype, quantization, shape)];
    const axis = block === undefined ? own : shape.length - 1;
    const real = this.add("DequantizeLinear", inputs, this.given.made(name, "real"), {
      axis: axis < 0 ? axis + shape.length : axis,
      ...(block === undefined ? {} : { block_size: block }),
    });
    if (quantization.scale.length === 1 && this.#isMoved(dtype)) this.#held.set(real, { dtype, quantization, shape });
    return real;
  }

  /** The scales, and zero points where their type has any, as operators take them. */
  #scales(name: string, dtype: DType, { scale, zeroPoint, block }: Quantization, of: readonly number[]) {
    const [rows = 1, columns = 1] = of;
    const shape = block !== undefined ? [rows, columns / block] : scale.length === 1 ? [] : [scale.length];
    const root = this.given.rootOf(name);
    const scales = this.constant(`${root}/scale`, "float32", shape, Float32Array.from(scale));
    const numbers = ZEROS[dtype];
    if (numbers === undefined) return [scales];
    const zeros = new numbers(scale.map((_, i) => zeroPoint[i] ?? zeroPoint[0] ?? 0));
    return [scales, this.constant(`${root}/zero`, dtype, shape, zeros)];
  }

  /** Real values as a tensor of the graph holds them. */
  held(id: TensorId, real: string): string {
    const { dtype, quantization, shape } = this.tensor(id);
    if (quantization === undefined || dtype === "float32") return real;
    return this.step("QuantizeLinear", [real, ...this.#scales(real, dtype, quantization, shape)]);
  }

  /** Sets a tensor of the graph to real values: through QuantizeLinear where it holds integers. */
  set(id: TensorId, real: string): void {
    const { dtype, quantization, shape } = this.tensor(id);
    const name = this.name(id);
    if (quantization === undefined || dtype === "float32") {
      if (!this.#rename(real, name)) this.add("Identity", [real], name);
      const held = this.#held.get(real);
      if (held !== undefined) this.#held.set(name, held);
      return;
    }
    if (ZEROS[dtype] === undefined) return this.#setWide(name, real, dtype, quantization);
    this.add("QuantizeLinear", [real, ...this.#scales(name, dtype, quantization, shape)], name);
  }

  /** Integers that QuantizeLinear does not give: steps of the one scale, rounded. */
  #setWide(name: string, real: string, dtype: DType, { scale, zeroPoint }: Quantization): void {
    ensure(scale.length === 1 && DATA_TYPES[dtype] !== undefined, "UNSUPPORTED", () => ({
      where: this.where,
      expected: "integers of one scale",
      received: `a result of ${dtype} with ${scale.length} scales`,
    }));
    const number = (value: number) => this.constant("number", "float32", [], Float32Array.of(value));
    const steps = this.step("Round", [this.step("Div", [real, number(scale[0] as number)])]);
    const placed = zeroPoint[0] ? this.step("Add", [steps, number(zeroPoint[0])]) : steps;
    this.add("Cast", [placed], name, { to: DATA_TYPES[dtype] as number });
  }

  /** Gives the last operator's result a tensor's name; false where it is not that. */
  #rename(real: string, name: string): boolean {
    const last = this.operators.at(-1);
    if (this.#latest !== real || last?.outputs[0] !== real) return false;
    this.operators[this.operators.length - 1] = { ...last, outputs: [name] };
    this.#renamed.set(real, name);
    this.#latest = undefined;
    return true;
  }

  /** The numbers of a constant of integers; undefined for what is computed. */
  numbers(id: TensorId | undefined): readonly number[] | undefined {
    const tensor = id === undefined || id === NONE ? undefined : this.tensor(id);
    if (tensor?.data === undefined) return undefined;
    const { buffer } = new Uint8Array(tensor.data);
    if (tensor.dtype === "int32") return [...new Int32Array(buffer)];
    return tensor.dtype === "int64" ? Array.from(new BigInt64Array(buffer), Number) : undefined;
  }
}
