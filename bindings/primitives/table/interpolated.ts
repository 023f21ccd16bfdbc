/** Functions of int16 as 513 int16, between which kernels interpolate by the low seven bits: TFLite's LUTPopulate. */
import { roundHalfAway } from "../requantize/quantization.ts";

const STEPS = 512;

/** A function from one range of reals onto another, sampled with the error of interpolation halved; each number as `f` rounds it. */
export function interpolatedTable(
  value: (x: number) => number,
  input: readonly [number, number],
  output: readonly [number, number],
  f: (x: number) => number,
): Int16Array {
  const [least, most] = input;
  const step = f(f(most - least) / STEPS);
  const half = f(step / 2);
  const scale = f(65536 / f(output[1] - output[0]));
  const clamp = (x: number) => Math.min(Math.max(x, -32768), 32767);
  const at = (x: number) => f(f(value(x)) * scale);
  const table = Int16Array.from({ length: STEPS + 1 }, (_, i) => {
    if (i === STEPS) return clamp(roundHalfAway(at(most)));
    const x = f(least + f(i * step));
    const sample = roundHalfAway(at(x));
    const between = roundHalfAway(f(f(at(f(least + f((i + 1) * step))) + sample) / 2));
    const middle = roundHalfAway(at(f(x + half)));
    const bias = roundHalfAway(f(f(between - middle) / 2));
    return clamp(f(sample - bias));
  });
  return table;
}
