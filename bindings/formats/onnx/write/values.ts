/** Numbers and names as files have them. */
import { ensure } from "../../../errors.ts";
import type { DType } from "../../../tensor.ts";
import { DATA_TYPES } from "./model.ts";

/** Sums of products as real numbers. */
export const reals = (sums: BigInt64Array, scale: readonly number[]) =>
  Float32Array.from(sums, (sum, i) => Number(sum) * (scale[i] ?? (scale[0] as number)));

/** What zero points are written as. Those of int32, which biases have, are 0. */
export const ZEROS: { readonly [K in DType]?: new (values: number[]) => ArrayBufferView } = {
  int4: Int8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
};

/** Refuses elements that ONNX files are not written with. */
export function requireOnnxType(where: string, dtype: DType): void {
  ensure(DATA_TYPES[dtype] !== undefined, "UNSUPPORTED", () => ({ where, expected: "an ONNX type", received: dtype }));
}

/** int4, one element a byte. */
export function apart(data: Uint8Array, count: number): Uint8Array {
  const values = Int8Array.from({ length: count }, (_, i) => (((data[i >> 1] as number) >> (4 * (i & 1))) << 28) >> 28);
  return new Uint8Array(values.buffer);
}
