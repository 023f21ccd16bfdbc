/** Numbers and names as files have them. */
import { ensure } from "../../../errors.ts";
import { type DType, type Tensor, typedCopy } from "../../../tensor.ts";
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

/** The numbers of a constant as reals: by these scales, or its own, where it holds integers. */
export function realsOf(
  { data = new Uint8Array(0), dtype, quantization }: Pick<Tensor, "data" | "dtype" | "quantization">,
  scale: readonly number[],
): Float32Array {
  const values = typedCopy(dtype, data);
  if (values instanceof Float32Array) return values;
  const zeros = quantization?.zeroPoint ?? [];
  const own = scale.length > 0 ? scale : [1];
  const depth = Math.max(1, values.length / own.length);
  return Float32Array.from(values as ArrayLike<number | bigint>, (value, i) => {
    const row = Math.floor(i / depth);
    return (Number(value) - (zeros[row] ?? zeros[0] ?? 0)) * (own[row] as number);
  });
}
