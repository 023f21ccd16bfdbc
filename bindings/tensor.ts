import { ensure } from "./errors.ts";

/** Element types that a graph may hold. Kernels run a subset; an operator's `infer` says which. */
export type DType =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "float32"
  | "float64"
  | "bool"
  | "int4"
  | "string"
  | "complex64"
  | "complex128"
  | "resource"
  | "variant";

/** Bits per element; 0 for types without a fixed size. */
export const BITS: { readonly [K in DType]: number } = {
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  float16: 16,
  float32: 32,
  float64: 64,
  bool: 8,
  int4: 4,
  string: 0,
  complex64: 64,
  complex128: 128,
  resource: 0,
  variant: 0,
};

/**
 * Affine quantization, `real = scale · (q − zeroPoint)`. One entry each: per tensor; otherwise one entry per
 * slice along `axis`.
 */
export interface Quantization {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly axis: number;
  /** Of a matrix whose rows have one scale for every so many columns: `scale` is then `[rows, columns / block]`. */
  readonly block?: number;
}

/** Shape and type of a tensor. Shapes are row-major, `[N,H,W,C]` for images; `[]` is a scalar. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /**
   * What only a run can tell, where `shape` is a bound (`length`: at most so many elements; `rows`: at most so many in the
   * first dimension) or holds the right number of elements alone (`shape`). Only the caller can take such a tensor, but for
   * rows, which operators that work row by row pass on.
   */
  readonly open?: "length" | "rows" | "shape";
}

/** A tensor of a graph. */
export interface Tensor extends TensorType {
  readonly name: string;
  readonly quantization?: Quantization;
  /** Row-major little-endian bytes of a constant; absent for tensors that are computed. */
  readonly data?: Uint8Array;
  /** Was quantized uint8 in the file: some operators' reference rounds that otherwise. Set by `passes/signed.ts`. */
  readonly unsigned?: boolean;
  /** Bits of each element in the file, where the constant was unpacked: fully-connected layers round int4 otherwise. */
  readonly storedBits?: 4;
  /** Id of the int32 tensor that holds the number of elements of a tensor of open length. */
  readonly length?: number;
  /** Id of the int32 tensor that holds the number of rows, where something asked for it. */
  readonly rows?: number;
  /** Of an int32: the most that there is room for, where data may ask for more. */
  readonly most?: number;
  /** Keeps its value from run to run. */
  readonly variable?: boolean;
  /** Name of a variable: tensors of the same name, in whatever graph of a model, are one. */
  readonly resource?: string;
}

/** How the notes of steps begin that keep the greatest of numbers which have a bound. */
export const AT_MOST = "at most ";

/** The largest number of elements and bytes that one tensor may have: what 32-bit addresses reach. */
const MAX_BYTES = 2 ** 32;

/** The greatest finite float32. */
export const GREATEST_FLOAT = 3.4028234663852886e38;

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (let i = 0; i < shape.length; i++) count *= shape[i] as number;
  return count;
}

/** Bytes that a dense tensor of this type takes. */
export function byteLength({ dtype, shape }: TensorType): number {
  return Math.ceil((elementCount(shape) * BITS[dtype]) / 8);
}

/** The most dimensions of a tensor that operators, kernels and files may have. */
const MAX_RANK = 8;

/**
 * Refuses what no tensor may be, whoever says or infers it: more than 8 dimensions, sizes that are negative or
 * fractional, more elements or bytes than 32-bit addresses reach.
 */
export function checkShape(shape: readonly number[], dtype: DType, where: string): void {
  ensure(shape.length <= MAX_RANK, "UNSUPPORTED", () => ({
    where,
    expected: `at most ${MAX_RANK} dimensions`,
    received: `${shape.length}`,
  }));
  ensure(
    shape.every((size) => Number.isInteger(size) && size >= 0),
    "INVALID_MODEL",
    () => ({ where, expected: "sizes that are whole numbers from 0", received: listText(shape) }),
  );
  const bytes = byteLength({ dtype, shape });
  ensure(bytes < MAX_BYTES && elementCount(shape) < MAX_BYTES, "OUT_OF_MEMORY", () => ({
    where,
    expected: "a tensor of less than 4 GiB",
    received: `${typeText({ dtype, shape })}, ${bytes} bytes`,
    hint: "WebAssembly addresses 4 GiB in all; use a smaller batch or input.",
  }));
}

/** Sizes, or other numbers, as messages write them: `[1,28,28,1]`. */
export function listText(values: readonly (number | bigint | string)[]): string {
  return `[${values.join(",")}]`;
}

/** A type as messages write it: `[1,28,28,1] int8`. */
export function typeText(type: { readonly shape: readonly number[]; readonly dtype: string } | undefined): string {
  return type === undefined ? "none" : `${listText(type.shape)} ${type.dtype}`;
}

/** Scales and zero points are the same, or both are none. */
export function sameScales(a: Quantization | undefined, b: Quantization | undefined): boolean {
  const key = (own: Quantization | undefined) => JSON.stringify([own?.scale, own?.zeroPoint]);
  return key(a) === key(b);
}

/** The size of a dimension that checks have found; axis −1 is the last one. */
export function sizeOf({ shape }: Pick<TensorType, "shape">, axis: number): number {
  return shape.at(axis) as number;
}

/** Sizes of shapes by their number of dimensions. */
export interface Dimensions {
  readonly 2: readonly [number, number];
  readonly 3: readonly [number, number, number];
  readonly 4: readonly [number, number, number, number];
  readonly 5: readonly [number, number, number, number, number];
}

/**
 * A shape of as many dimensions as checks have found, to be taken apart: `const [n, h, w, c] = dimensions(x.shape, 4)`. One of
 * another number of them is a mistake of pint8, and an error.
 */
export function dimensions<N extends keyof Dimensions>(shape: readonly number[], count: N): Dimensions[N] {
  ensure(shape.length === count, "INVALID_GRAPH", () => ({
    where: "shape",
    expected: `${count} dimensions`,
    received: listText(shape),
    hint: "Checks should have found this before: please report it with the file that shows it.",
  }));
  return shape as readonly number[] as Dimensions[N];
}

/** The first scale; 0 where there is none. */
export function scaleOf(tensor: Pick<Tensor, "quantization"> | undefined): number {
  return tensor?.quantization?.scale[0] ?? 0;
}

/** The first zero point; 0 where there is none. */
export function zeroOf(tensor: Pick<Tensor, "quantization"> | undefined): number {
  return tensor?.quantization?.zeroPoint[0] ?? 0;
}

/** Scale and zero point as ports say them: zeros for a tensor that is not quantized as a whole. */
export function portAffine(tensor: Pick<Tensor, "quantization">): {
  readonly scale: number;
  readonly zeroPoint: number;
} {
  const isWhole = tensor.quantization?.scale.length === 1;
  return isWhole ? { scale: scaleOf(tensor), zeroPoint: zeroOf(tensor) } : { scale: 0, zeroPoint: 0 };
}

/** The one scale and zero point of a tensor quantized as a whole; an error otherwise. */
export function perTensor(tensor: Tensor, where: string): { readonly scale: number; readonly zeroPoint: number } {
  const scale = tensor.quantization?.scale;
  ensure(scale?.length === 1, "INVALID_GRAPH", () => ({
    where: `${where}, tensor "${tensor.name}"`,
    expected: "one scale and one zero point",
    received: scale === undefined ? "no quantization" : `${scale.length} scales`,
    hint: "Quantize activations per tensor.",
  }));
  return { scale: scaleOf(tensor), zeroPoint: zeroOf(tensor) };
}

/** One typed view of each element type that crosses the public API. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** The classes of elements; those of all other types are bytes. */
const CLASSES = {
  int8: Int8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  float16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** A view of `bytes` bytes from an address on, or of a whole buffer. */
export function typedView(dtype: DType, buffer: ArrayBufferLike, address = 0, bytes = buffer.byteLength): TypedArray {
  const Class = ((CLASSES as Partial<Record<DType, unknown>>)[dtype] ?? Uint8Array) as Int32ArrayConstructor;
  return new Class(buffer, address, bytes / Class.BYTES_PER_ELEMENT) as unknown as TypedArray;
}

/** A typed copy of little-endian bytes; `bool` and float16 come as Uint8Array and Uint16Array. */
export function typedCopy(dtype: DType, bytes: Uint8Array): TypedArray {
  return typedView(dtype, new Uint8Array(bytes).buffer); // not slice(): a Node Buffer's shares memory
}

/** The values of a float32 constant, to be read only: the constant's own bytes where the file has aligned them. */
export function floatsOf({ data = new Uint8Array(0) }: Pick<Tensor, "data">): Float32Array {
  const { buffer, byteOffset, length } = data;
  return byteOffset % 4 === 0
    ? new Float32Array(buffer, byteOffset, length / 4)
    : (typedCopy("float32", data) as Float32Array);
}

/** One half-precision number. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
