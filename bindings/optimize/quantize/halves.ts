/** Numbers of half precision. */
const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** float32 as the nearest float16, ties to even; what is too large becomes the largest finite one. */
export function toHalf(value: number): number {
  float[0] = value;
  const bits = word[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  if (Number.isNaN(value)) return 0x7e00;
  const size = Math.abs(value);
  if (size >= 65520) return sign | (size === Infinity ? 0x7c00 : 0x7bff);
  const exponent = Math.max(((bits >>> 23) & 255) - 127, -14);
  const steps = size * 2 ** (10 - exponent); // exact: a power of two
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  return sign | (rounded + (exponent + 14) * 1024);
}

/** Little-endian bytes. */
export function toHalves(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(values, toHalf).buffer);
}
