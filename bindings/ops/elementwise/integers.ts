/** Constants of integers and bool: read, computed in exact arithmetic, and written with the wrapping of their type. */
import { broadcastShape, broadcastStrides, denseStrides } from "../../primitives/broadcast.ts";
import { BITS, type DType, elementCount, type Tensor } from "../../tensor.ts";

/** The bytes of a constant. */
function viewOf({ data }: Tensor): DataView {
  const bytes = data ?? new Uint8Array(0);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The values of a constant of whole numbers; undefined for other types. */
export function readIntegers(tensor: Tensor): readonly bigint[] | undefined {
  const bytes = BITS[tensor.dtype] / 8;
  const signed = tensor.dtype.startsWith("int");
  if (!(signed || tensor.dtype.startsWith("uint") || tensor.dtype === "bool") || bytes < 1) return undefined;
  const view = viewOf(tensor);
  const bits = BITS[tensor.dtype];
  return Array.from({ length: elementCount(tensor.shape) }, (_, i) => {
    let value = 0n;
    for (let j = bytes - 1; j >= 0; j--) value = (value << 8n) | BigInt(view.getUint8(i * bytes + j));
    return signed ? BigInt.asIntN(bits, value) : value;
  });
}

/** Little-endian bytes; what does not fit wraps. */
export function writeIntegers(dtype: DType, values: readonly bigint[]): Uint8Array {
  const bytes = BITS[dtype] / 8;
  const data = new Uint8Array(values.length * bytes);
  for (const [i, value] of values.entries())
    for (let j = 0; j < bytes; j++) data[i * bytes + j] = Number((value >> BigInt(8 * j)) & 255n);
  return data;
}

/** The values of a float32 constant. */
export function readFloats(tensor: Tensor): readonly number[] {
  const view = viewOf(tensor);
  return Array.from({ length: elementCount(tensor.shape) }, (_, i) => view.getFloat32(i * 4, true));
}

/** Little-endian bytes of float32. */
export function writeFloats(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [i, value] of values.entries()) view.setFloat32(i * 4, value, true);
  return new Uint8Array(view.buffer);
}

/** f of every pair that meets when both shapes are broadcast. */
export function mapPairs<T, R>(
  a: { readonly shape: readonly number[]; readonly values: readonly T[] },
  b: { readonly shape: readonly number[]; readonly values: readonly T[] },
  f: (p: T, q: T) => R,
): readonly R[] {
  const shape = broadcastShape(a.shape, b.shape) as readonly number[];
  const dense = denseStrides(shape);
  const at = (strides: readonly number[], i: number) =>
    shape.reduce((sum, size, d) => sum + (Math.floor(i / (dense[d] as number)) % size) * (strides[d] as number), 0);
  const [p, q] = [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)];
  return Array.from({ length: elementCount(shape) }, (_, i) => f(a.values[at(p, i)] as T, b.values[at(q, i)] as T));
}
