/** What converters of operators write into: names of values, constants, and the integers behind real values. */
import { ensure } from "../../../errors.ts";
import { type Graph, NONE, type Port, type TensorId } from "../../../graph.ts";
import { type DType, elementCount, type Quantization, type Tensor } from "../../../tensor.ts";
import { DATA_TYPES, type OnnxAttribute, type OnnxOperator, type OnnxTensor } from "./model.ts";

export class Emitter {
  readonly operators: OnnxOperator[] = [];
  readonly constants: OnnxTensor[] = [];
  /** The node that is written. */
  where = "graph";
  readonly #names = new Map<TensorId, string>();
  readonly #taken = new Set<string>();
  /** Real values of tensors that hold integers. */
  readonly #reals = new Map<TensorId, string>();

  constructor(readonly graph: Graph) {
    for (const { name, tensor } of [...graph.outputs, ...graph.inputs]) {
      if (graph.tensors[tensor]?.data === undefined) this.#names.set(tensor, name);
      this.#taken.add(name);
    }
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
    const name = this.fresh(tensor.name || `tensor ${id}`);
    this.#names.set(id, name);
    if (tensor.data !== undefined) this.#constant(name, tensor);
    return name;
  }

  /** A name that nothing has. */
  fresh(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.#taken.has(name); i++) name = `${wanted}_${i}`;
    this.#taken.add(name);
    return name;
  }

  #constant(name: string, tensor: Tensor): void {
    const { data = new Uint8Array(0), shape, dtype } = tensor;
    if (dtype === "int4") this.constants.push({ name, shape, dtype: "int8", data: nibbles(data, elementCount(shape)) });
    else {
      requireOnnxType(name, dtype);
      this.constants.push({ name, shape, dtype, data });
    }
  }

  /** A constant of its own. */
  constant(
    wanted: string,
    dtype: "float32" | "int64" | "int8" | "uint8",
    shape: readonly number[],
    data: ArrayBufferView,
  ): string {
    const name = this.fresh(wanted);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.constants.push({ name, dtype, shape, data: bytes });
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
  ): string {
    this.#require(Object.values(attributes).flat());
    this.operators.push({ type, inputs, outputs: [output], attributes });
    return output;
  }

  /** One more operator whose result has a name of its own. */
  step(type: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    return this.add(type, inputs, this.fresh(`${inputs[0]}/${type}`), attributes);
  }

  /** Passes a value on as an output of the graph by another name than its own; returns that name. */
  passed({ name, tensor: id }: Port): string {
    const own = this.name(id);
    return this.add("Identity", [own], own === name ? this.fresh(`${name}/out`) : name);
  }

  /** The real values of an input: behind DequantizeLinear where the tensor holds integers. */
  real(id: TensorId): string {
    const { dtype, quantization, shape } = this.tensor(id);
    if (quantization === undefined || dtype === "float32") return this.name(id);
    const known = this.#reals.get(id);
    if (known !== undefined) return known;
    const real = this.dequantized(this.name(id), dtype === "int4" ? "int8" : dtype, quantization, shape.length);
    this.#reals.set(id, real);
    return real;
  }

  /** Real values of a product's bias: one that tells no scale has the product of its input's and its weights'. */
  bias(id: TensorId, x: TensorId, w: TensorId): string {
    const { dtype, quantization, shape } = this.tensor(id);
    const [scaleX = 1] = this.tensor(x).quantization?.scale ?? [];
    const scales = this.tensor(w).quantization?.scale;
    if (dtype === "float32" || quantization !== undefined || scales === undefined) return this.real(id);
    const scale = scales.map((each) => Math.fround(each * scaleX));
    const own: Quantization = { scale, zeroPoint: scale.map(() => 0), axis: 0 };
    return this.dequantized(this.name(id), dtype, own, shape.length);
  }

  dequantized(name: string, dtype: string, quantization: Quantization, rank: number): string {
    const { scale, zero } = this.#scales(name, dtype, quantization);
    const axis = quantization.axis < 0 ? quantization.axis + rank : quantization.axis;
    const inputs = zero === undefined ? [name, scale] : [name, scale, zero];
    return this.add("DequantizeLinear", inputs, this.fresh(`${name}/real`), { axis });
  }

  #scales(name: string, dtype: string, { scale, zeroPoint }: Quantization) {
    const shape = scale.length === 1 ? [] : [scale.length];
    const scales = this.constant(`${name}/scale`, "float32", shape, Float32Array.from(scale));
    // Zero points of int32, which biases have, are 0.
    if (dtype !== "int8" && dtype !== "uint8") return { scale: scales, zero: undefined };
    const all = scale.map((_, i) => zeroPoint[i] ?? zeroPoint[0] ?? 0);
    const zeros = dtype === "int8" ? Int8Array.from(all) : Uint8Array.from(all);
    return { scale: scales, zero: this.constant(`${name}/zero`, dtype, shape, zeros) };
  }

  /** Sets a tensor of the graph to real values: through QuantizeLinear where it holds integers. */
  set(id: TensorId, real: string): void {
    const { dtype, quantization } = this.tensor(id);
    const name = this.name(id);
    if (quantization === undefined || dtype === "float32") {
      this.add("Identity", [real], name);
      return;
    }
    const { scale, zero } = this.#scales(name, dtype, quantization);
    this.add("QuantizeLinear", zero === undefined ? [real, scale] : [real, scale, zero], name);
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

/** Refuses elements that ONNX files are not written with. */
export function requireOnnxType(where: string, dtype: DType): void {
  ensure(DATA_TYPES[dtype] !== undefined, "UNSUPPORTED", () => ({ where, expected: "an ONNX type", received: dtype }));
}

/** int4 as int8. */
function nibbles(data: Uint8Array, count: number): Uint8Array {
  const values = Int8Array.from({ length: count }, (_, i) => (((data[i >> 1] as number) >> (4 * (i & 1))) << 28) >> 28);
  return new Uint8Array(values.buffer);
}
