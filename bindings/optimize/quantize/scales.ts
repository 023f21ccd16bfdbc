/** Ranges of reals → scales and zero points as TFLite's converter chooses them, and constants as integers. */
import { type Affine, RANGE, roundHalfAway } from "../../primitives/requantize/quantization.ts";
import type { Quantization } from "../../tensor.ts";
import type { Range } from "../calibrate/ranges.ts";

/** Types that activations are quantized to. */
export type Activations = "int8" | "int16";

/** Scales are float32 in files; one below this is none that kernels can divide by. */
const LEAST_SCALE = 2 ** -100;

/**
 * The scale and zero point of a tensor whose values lie in the range, 0 always among them: int8 asymmetric over all of
 * −128 … 127, int16 symmetric over ±32767.
 */
export function affineOfRange({ min, max }: Range, type: Activations): Affine {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  if (type === "int16") {
    const scale = Math.fround(Math.max(-low, high) / 32767);
    return { scale: scale > LEAST_SCALE ? scale : 1, zeroPoint: 0 };
  }
  const scale = Math.fround((high - low) / 255);
  if (!(scale > LEAST_SCALE)) return { scale: 1, zeroPoint: 0 };
  const zeroPoint = roundHalfAway(-128 - low / scale);
  return { scale, zeroPoint: Math.min(Math.max(zeroPoint, -128), 127) };
}

export const asQuantization = ({ scale, zeroPoint }: Affine): Quantization => ({
  scale: [scale],
  zeroPoint: [zeroPoint],
  axis: 0,
});

/** Reals as integers of the type, saturated. */
export function quantizeReals(
  values: Float32Array,
  { scale, zeroPoint }: Affine,
  type: Activations,
): Int8Array | Int16Array {
  const { lo, hi } = RANGE[type];
  const integers = type === "int8" ? new Int8Array(values.length) : new Int16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const q = roundHalfAway(Math.fround((values[i] as number) / scale)) + zeroPoint;
    integers[i] = Math.min(Math.max(q, lo), hi);
  }
  return integers;
}
