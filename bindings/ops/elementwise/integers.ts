/** Constants of integers and bool: read, computed in exact arithmetic, and written with the wrapping of their type. */
import { broadcastShape, broadcastStrides } from "../../primitives/broadcast.ts";
import { BITS, type DType, elementCount, type Tensor, typedCopy, typedView } from "../../tensor.ts";

/** The values of a constant of whole numbers; undefined for other types. */
export function readIntegers(tensor: Tensor): readonly bigint[] | undefined {
  const bytes = BITS[tensor.dtype] / 8;
  const signed = tensor.dtype.startsWith("int");
  if (!(signed || tensor.dtype.startsWith("uint") || tensor.dtype === "bool") || bytes < 1) return undefined;
  return Array.from<number | bigint, bigint>(typedCopy(tensor.dtype, tensor.data ?? new Uint8Array(0)), BigInt);
}

/** Little-endian bytes; what does not fit wraps. */
export function writeIntegers(dtype: DType, values: readonly bigint[]): Uint8Array {
  if (BITS[dtype] === 64) return new Uint8Array(new BigInt64Array(values as bigint[]).buffer);
  const data = new Uint8Array((values.length * BITS[dtype]) / 8);
  const view = typedView(dtype, data.buffer);
  for (let i = 0; i < values.length; i++) view[i] = Number(BigInt.asIntN(32, values[i] as bigint));
  return data;
}

/** Bytes of float32. */
export function writeFloats(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(new Float32Array(values).buffer);
}

/** f of every pair that meets when both shapes are broadcast. */
export function mapPairs<T, R>(
  a: { readonly shape: readonly number[]; readonly values: ArrayLike<T> },
  b: { readonly shape: readonly number[]; readonly values: ArrayLike<T> },
  f: (p: T, q: T) => R,
): readonly R[] {
  const shape = broadcastShape(a.shape, b.shape) as readonly number[];
  const [p, q] = [placesOf(a.shape, shape), placesOf(b.shape, shape)];
  const result = new Array<R>(p.length);
  for (let i = 0; i < p.length; i++) result[i] = f(a.values[p[i] as number] as T, b.values[q[i] as number] as T);
  return result;
}

/** Which element of an operand each one of the result takes. */
function placesOf(operand: readonly number[], shape: readonly number[]): Int32Array {
  const places = new Int32Array(elementCount(shape));
  const strides = broadcastStrides(operand, shape);
  let inner = places.length === 0 ? 0 : 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    for (let i = inner; i < inner * size; i++)
      places[i] = (places[i % inner] as number) + Math.floor(i / inner) * (strides[axis] as number);
    inner *= size;
  }
  return places;
}
