/** ONNX's rounding, and what its quantized types hold. */
import type { DType } from "../../tensor.ts";

/** Half to even. */
export function rint(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Least and greatest value of a type that checks have found to be one of `BOUNDS`. */
export const boundsOf = (dtype: DType): readonly [number, number] => BOUNDS[dtype] as readonly [number, number];

/** Least and greatest value of the types that QuantizeLinear gives. */
export const BOUNDS: { readonly [D in DType]?: readonly [number, number] } = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};
