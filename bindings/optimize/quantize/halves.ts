/** Numbers of half precision. */
import { toHalf } from "../../ops/values.ts";

/** What is too large for half precision becomes its largest finite number. */
const bounded = (value: number) => (Math.abs(value) === Infinity ? value : Math.max(-65504, Math.min(65504, value)));

/** Little-endian bytes of the nearest float16, ties to even. */
export function toHalves(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(values, (value) => toHalf(bounded(value))).buffer);
}
