import { type Affine, RANGE, roundHalfAway } from "../requantize/quantization.ts";

/**
 * 256 bytes by which joining rescales an 8-bit tensor, as TFLite's ConcatenationWithScaling does: all in float32, on
 * unsigned numbers. int8 numbers are looked at as unsigned ones with their zero points.
 */
export function joinTable(dtype: "int8" | "uint8", x: Affine, y: Affine): Uint8Array {
  const low = RANGE[dtype].lo;
  const scale = Math.fround(Math.fround(x.scale) * Math.fround(1 / Math.fround(y.scale)));
  const bias = Math.fround(-(x.zeroPoint - low) * scale);
  const table = new Uint8Array(256);
  for (let q = 0; q < 256; q++) {
    const value = roundHalfAway(Math.fround(Math.fround(q * scale) + bias)) + y.zeroPoint - low;
    table[(q + low) & 255] = Math.min(Math.max(value, 0), 255) + low;
  }
  return table;
}
