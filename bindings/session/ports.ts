import { ensure } from "../errors.ts";
import type { PlanPort } from "../plan/types.ts";
import type { DType, TypedArray } from "../tensor.ts";

/** What a caller needs to know of an input or output. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major; `[N,H,W,C]` for images. */
  readonly shape: readonly number[];
  /** `real = scale · (q − zeroPoint)`; 0 where the tensor is not quantized. */
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Inputs by name, or in input order. */
export type Inputs = Readonly<Record<string, TypedArray>> | readonly TypedArray[];
/** Outputs by name: copies. */
export type Outputs = Record<string, TypedArray>;

/** A port with the view of its memory. */
export interface BoundPort {
  readonly info: TensorInfo;
  readonly view: TypedArray;
  /** The class that a caller's array must have, as `Symbol.toStringTag` says it. */
  readonly type: string;
}

/** Views once, when the memory is made; it never grows, so they stay valid. */
export function bindPort(
  { name, dtype, shape, scale, zeroPoint, address, bytes }: PlanPort,
  memory: ArrayBufferLike,
): BoundPort {
  const view = viewOf(dtype, memory, address, bytes);
  const info = Object.freeze({ name, dtype, shape: Object.freeze([...shape]), scale, zeroPoint });
  return { info, view, type: view[Symbol.toStringTag] };
}

function viewOf(dtype: DType, memory: ArrayBufferLike, address: number, bytes: number): TypedArray {
  switch (dtype) {
    case "int8":
      return new Int8Array(memory, address, bytes);
    case "int16":
      return new Int16Array(memory, address, bytes / 2);
    case "uint16":
    case "float16":
      return new Uint16Array(memory, address, bytes / 2);
    case "int32":
      return new Int32Array(memory, address, bytes / 4);
    case "uint32":
      return new Uint32Array(memory, address, bytes / 4);
    case "int64":
      return new BigInt64Array(memory, address, bytes / 8);
    case "uint64":
      return new BigUint64Array(memory, address, bytes / 8);
    case "float32":
      return new Float32Array(memory, address, bytes / 4);
    case "float64":
      return new Float64Array(memory, address, bytes / 8);
    default:
      return new Uint8Array(memory, address, bytes);
  }
}

/** Copies a caller's inputs in, after checking names, classes and lengths. */
export function setInputs(ports: readonly BoundPort[], inputs: Inputs): void {
  ensure(typeof inputs === "object" && inputs !== null && !ArrayBuffer.isView(inputs), "INVALID_INPUT", () => ({
    where: "inputs",
    expected: `an object of typed arrays named ${namesOf(ports)}, or an array of them`,
    received: describe(inputs),
  }));
  if (Array.isArray(inputs)) {
    ensure(inputs.length === ports.length, "INVALID_INPUT", () => ({
      where: "inputs",
      expected: `${ports.length} arrays: ${namesOf(ports)}`,
      received: `${inputs.length}`,
    }));
    for (let i = 0; i < ports.length; i++) setInput(ports[i] as BoundPort, inputs[i]);
    return;
  }
  const named = inputs as { readonly [name: string]: unknown };
  for (const name in named)
    ensure(
      ports.some(({ info }) => info.name === name),
      "INVALID_INPUT",
      () => ({ where: "inputs", expected: `the names ${namesOf(ports)}`, received: `"${name}"` }),
    );
  for (const port of ports) setInput(port, Object.hasOwn(named, port.info.name) ? named[port.info.name] : undefined);
}

function setInput(port: BoundPort, value: unknown): void {
  const array = value as TypedArray;
  const fits =
    ArrayBuffer.isView(value) && array[Symbol.toStringTag] === port.type && array.length === port.view.length;
  ensure(fits, "INVALID_INPUT", () => ({
    where: `input "${port.info.name}"`,
    expected: `${port.type} of ${port.view.length} elements ([${port.info.shape}] ${port.info.dtype})`,
    received: describe(value),
  }));
  // The class has been compared; TypeScript cannot see which of the pairs it is.
  (port.view as Uint8Array).set(array as Uint8Array);
}

function namesOf(ports: readonly BoundPort[]): string {
  return ports.map(({ info }) => `"${info.name}"`).join(", ") || "no inputs";
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value !== "object") return `${typeof value} ${String(value)}`;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const { length } = value as { readonly length?: unknown };
  return typeof length === "number" ? `${tag} of ${length} elements` : tag;
}
