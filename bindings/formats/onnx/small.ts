/**
 * Floats of 4 to 16 bits that pint8 holds as float32: their values are exact there. Each has bits of mantissa, a bias of the
 * exponent, and its own way to write what is not finite. Source: ONNX's float8 and float4 pages.
 */

/** A format; `special` says what the largest exponents mean. */
export interface SmallFloat {
  readonly exponent: number;
  readonly mantissa: number;
  readonly bias: number;
  /** The largest finite value. */
  readonly most: number;
  /** `ieee`: infinities and NaNs of the largest exponent. `fn`: all ones are NaN. `uz`: −0 is NaN. `none`: all are finite. */
  readonly special: "ieee" | "fn" | "uz" | "none";
}

/** By ONNX's number of the type. */
export const SMALL_FLOATS: { readonly [code: number]: SmallFloat | undefined } = {
  16: { exponent: 8, mantissa: 7, bias: 127, most: 3.3895313892515355e38, special: "ieee" },
  17: { exponent: 4, mantissa: 3, bias: 7, most: 448, special: "fn" },
  18: { exponent: 4, mantissa: 3, bias: 8, most: 240, special: "uz" },
  19: { exponent: 5, mantissa: 2, bias: 15, most: 57344, special: "ieee" },
  20: { exponent: 5, mantissa: 2, bias: 16, most: 57344, special: "uz" },
  23: { exponent: 2, mantissa: 1, bias: 1, most: 6, special: "none" },
};

/** Powers of two alone, without sign: 2^(bits − 127). */
export const E8M0 = 24;

/** Bits of a value in a file. */
export function smallBits(code: number): number {
  const format = SMALL_FLOATS[code];
  return format === undefined ? 8 : 1 + format.exponent + format.mantissa;
}

/** The value of these bits. */
export function smallValue(code: number, bits: number): number {
  const format = SMALL_FLOATS[code];
  if (format === undefined) return bits === 255 ? Number.NaN : 2 ** (bits - 127);
  const { exponent: width, mantissa: digits, bias, special } = format;
  const sign = (bits >> (width + digits)) & 1 ? -1 : 1;
  const exponent = (bits >> digits) & ((1 << width) - 1);
  const mantissa = bits & ((1 << digits) - 1);
  const isTop = exponent === (1 << width) - 1;
  if (special === "uz" && sign < 0 && exponent === 0 && mantissa === 0) return Number.NaN;
  if (special === "ieee" && isTop) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (special === "fn" && isTop && mantissa === (1 << digits) - 1) return Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - digits);
  return sign * ((1 << digits) + mantissa) * 2 ** (exponent - bias - digits);
}

/** An integer of few bits: how many, and whether it has a sign. */
export interface FewBits {
  readonly bits: 2 | 4;
  readonly signed: boolean;
}

/** Integers of few bits, by their codes. */
export const FEW_BITS: { readonly [code: number]: FewBits | undefined } = {
  21: { bits: 4, signed: false },
  22: { bits: 4, signed: true },
  25: { bits: 2, signed: false },
  26: { bits: 2, signed: true },
};

/** Least and greatest value of an integer of few bits. */
export function fewBounds(code: number): readonly [number, number] | undefined {
  const { bits = 0, signed = false } = FEW_BITS[code] ?? {};
  const sign = signed ? 1 << (bits - 1) : 0;
  return bits === 0 ? undefined : [-sign, (1 << bits) - 1 - sign];
}
