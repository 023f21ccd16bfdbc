/** float32 → float16. */

/** The little-endian float16 of these values; undefined where one of them is between two. */
export function halves(values: Float32Array): Uint8Array | undefined {
  const bits = new Uint16Array(values.length);
  for (const [i, value] of values.entries()) {
    const half = halfOf(value);
    if (half === undefined) return undefined;
    bits[i] = half;
  }
  return new Uint8Array(bits.buffer);
}

function halfOf(value: number): number | undefined {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  const isSmall = size < 2 ** -14;
  const exponent = isSmall ? -14 : Math.floor(Math.log2(size));
  const fraction = size * 2 ** (10 - exponent);
  if (!Number.isInteger(fraction) || exponent > 15) return undefined;
  return sign | (isSmall ? fraction : ((exponent + 15) << 10) | (fraction - 1024));
}
