/** What a session takes and gives, as TypeScript sees it: plainly without the model's own types, exactly with them. */
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

/** A model's inputs and outputs. `pint8 types MODEL` writes one with every name, shape, type and scale as a literal. */
export interface ModelTypes {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** A model of which nothing is known beforehand, but that it has an input and an output. */
export interface AnyModel {
  readonly inputs: readonly [TensorInfo, ...TensorInfo[]];
  readonly outputs: readonly [TensorInfo, ...TensorInfo[]];
}

/**
 * The elements of a tensor whose type is not known beforehand: what all typed arrays of numbers have. Outputs of 64-bit
 * integers are BigInt arrays when they run; the types that `pint8 types` writes say so.
 */
export interface NumberArray extends ArrayBufferView, Iterable<number> {
  readonly length: number;
  [index: number]: number;
  at(index: number): number | undefined;
  every(predicate: (value: number, index: number) => unknown): boolean;
  fill(value: number, start?: number, end?: number): this;
  filter(predicate: (value: number, index: number) => unknown): NumberArray;
  find(predicate: (value: number, index: number) => unknown): number | undefined;
  findIndex(predicate: (value: number, index: number) => unknown): number;
  forEach(callback: (value: number, index: number) => void): void;
  includes(value: number, from?: number): boolean;
  indexOf(value: number, from?: number): number;
  join(separator?: string): string;
  lastIndexOf(value: number): number;
  map(callback: (value: number, index: number) => number): NumberArray;
  reduce(callback: (total: number, value: number, index: number) => number): number;
  reduce<T>(callback: (total: T, value: number, index: number) => T, start: T): T;
  set(values: ArrayLike<number>, offset?: number): void;
  slice(start?: number, end?: number): NumberArray;
  some(predicate: (value: number, index: number) => unknown): boolean;
  sort(compare?: (a: number, b: number) => number): this;
  subarray(start?: number, end?: number): NumberArray;
  toString(): string;
}

interface Arrays {
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
  readonly float16: Uint16Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
}

/** The typed array that holds elements of a type. */
export type ArrayOf<D extends DType> = DType extends D ? NumberArray : D extends keyof Arrays ? Arrays[D] : Uint8Array;

/** What an input takes: its own typed array, or real numbers, which are quantized as the input says. */
export type InputArray<D extends DType = DType> = DType extends D
  ? TypedArray | NumberArray | readonly number[]
  : D extends "int64" | "uint64"
    ? ArrayOf<D>
    : ArrayOf<D> | Float32Array | readonly number[];

/** Inputs with the memory that they are read from. */
export type Places<P extends readonly TensorInfo[]> = {
  readonly [I in keyof P]: P[I] & { readonly data: ArrayOf<P[I]["dtype"]> };
};

type InOrder<P extends readonly TensorInfo[]> = { readonly [I in keyof P]: InputArray<P[I]["dtype"]> };

/** Inputs by name, or in input order. */
export type Inputs<M extends ModelTypes = AnyModel> =
  | { readonly [P in M["inputs"][number] as P["name"]]: InputArray<P["dtype"]> }
  | InOrder<M["inputs"]>
  | (AnyModel extends M ? readonly InputArray[] : never);

/** Outputs by name. */
export type Outputs<M extends ModelTypes = AnyModel> = {
  [P in M["outputs"][number] as P["name"]]: ArrayOf<P["dtype"]>;
};
