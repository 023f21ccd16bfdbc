/** Constants as numbers. */
import { type Tensor, typedCopy } from "../../tensor.ts";

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
