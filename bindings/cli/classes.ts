import { elementCount, type TypedArray } from "../tensor.ts";
import type { Port } from "../values/port.ts";

/** One entry of an output: its place, its number as stored, and what that stands for. */
export interface ClassScore {
  readonly index: number;
  readonly label?: string;
  /** `scale · (raw − zeroPoint)`; the raw number where the output is not quantized. */
  readonly value: number;
  readonly raw: number;
}

/** The real numbers that an output's elements stand for. */
export function dequantized(port: Port, values: TypedArray): Float64Array {
  return Float64Array.from(values as ArrayLike<number | bigint>, (raw) =>
    port.scale === 0 ? Number(raw) : port.scale * (Number(raw) - port.zeroPoint),
  );
}

/** Whether an output is one score per class: all of its elements along the last dimension. */
export function isClasses({ shape }: Port): boolean {
  return shape.length > 0 && elementCount(shape) === shape.at(-1);
}

/** Whether numbers read as probabilities: each within 0..1 and together 1, up to half a quantization step for each. */
export function areProbabilities(port: Port, values: Float64Array): boolean {
  if (values.length < 2) return false;
  const sum = values.reduce((total, value) => total + value, 0);
  return (
    values.every((value) => value >= 0 && value <= 1 + 1e-6) &&
    Math.abs(sum - 1) <= 0.02 + Math.min((port.scale * values.length) / 2, 0.5)
  );
}

/** The `count` largest entries, the first of equal ones first. */
export function topClasses(
  port: Port,
  values: TypedArray,
  count: number,
  labels: readonly string[] | undefined,
): readonly ClassScore[] {
  const real = dequantized(port, values);
  return Array.from(real, (_, index) => index)
    .sort((a, b) => (real[b] as number) - (real[a] as number) || a - b)
    .slice(0, count)
    .map((index) => ({
      index,
      ...(labels === undefined ? {} : { label: labels[index] ?? "" }),
      value: real[index] as number,
      raw: Number(values[index]),
    }));
}
