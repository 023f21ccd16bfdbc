/** Numbers of half precision. */
import { toHalf } from "../../ops/values.ts";

const LARGEST = 65504;

/** Whether a number is infinite, or not too large for half precision. */
export const fitsHalf = (value: number): boolean => Math.abs(value) <= LARGEST || !Number.isFinite(value);

/** What is too large becomes the largest finite number. */
const bounded = (value: number) =>
  Math.abs(value) === Infinity ? value : Math.max(-LARGEST, Math.min(LARGEST, value));

/** Little-endian bytes of the nearest float16, ties to even. */
export function toHalves(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(values, (value) => toHalf(bounded(value))).buffer);
}
