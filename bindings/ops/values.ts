/** Constants as numbers, and numbers as constants: what operators need to compute a shape when planned. */
import { BITS, type DType, type Tensor } from "../tensor.ts";

/** Types that an index may have. */
export const INDEX_TYPES = ["int32", "int64", "int16", "uint8"] as const satisfies readonly DType[];

/** The values of a constant; of any address alignment. */
export function integersOf(tensor: Tensor): readonly number[] {
  const { dtype, data = new Uint8Array(0) } = tensor;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const bytes = BITS[dtype] / 8;
  return Array.from({ length: Math.floor(data.byteLength / bytes) }, (_, i) => read(view, i * bytes, dtype));
}

function read(view: DataView, at: number, dtype: DType): number {
  if (dtype === "int32") return view.getInt32(at, true);
  if (dtype === "int64") return Number(view.getBigInt64(at, true));
  if (dtype === "float32") return view.getFloat32(at, true);
  if (dtype === "int16") return view.getInt16(at, true);
  if (dtype === "uint16") return view.getUint16(at, true);
  if (dtype === "uint32") return view.getUint32(at, true);
  return dtype === "int8" ? view.getInt8(at) : view.getUint8(at);
}

/** Little-endian bytes of numbers in that type; integers wrap around. */
export function bytesOfNumbers(dtype: DType, values: readonly number[]): Uint8Array {
  const bytes = BITS[dtype] / 8;
  const view = new DataView(new ArrayBuffer(values.length * bytes));
  for (const [i, value] of values.entries()) {
    const at = i * bytes;
    if (dtype === "float32") view.setFloat32(at, value, true);
    else if (bytes === 8) view.setBigInt64(at, BigInt(Math.trunc(value)), true);
    else if (bytes === 4) view.setInt32(at, value, true);
    else if (bytes === 2) view.setInt16(at, value, true);
    else view.setInt8(at, value);
  }
  return new Uint8Array(view.buffer);
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** float32 as the nearest float16, ties to even; from 65,520 on it is infinity. */
export function toHalf(value: number): number {
  float[0] = value;
  const bits = word[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  if (Number.isNaN(value)) return 0x7e00;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(((bits >>> 23) & 255) - 127, -14);
  const steps = size * 2 ** (10 - exponent); // exact: a power of two
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  return sign | (rounded + (exponent + 14) * 1024);
}
