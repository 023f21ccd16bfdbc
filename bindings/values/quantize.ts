import { ensure, kindOf, Pint8Error } from "../errors.ts";
import { byteLength, elementCount, type TypedArray, typedCopy } from "../tensor.ts";
import type { ArrayOf, NumberArray, Outputs, TensorInfo } from "./types.ts";

/** The integers of the types that quantization has. */
const BOUNDS: { readonly [dtype: string]: readonly [low: number, high: number] } = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** What says how a tensor is quantized. */
export type Quantized = Pick<TensorInfo, "name" | "dtype" | "scale" | "zeroPoint">;

/** Whether real numbers can be told to a tensor, or read from it. */
export const takesReals = ({ dtype, scale }: Quantized): boolean =>
  dtype === "float32" || dtype === "float64" || (scale !== 0 && dtype in BOUNDS);

/**
 * Writes `round(real / scale) + zeroPoint`, saturated, as TFLite's QUANTIZE does it: the quotient is a float32, ties go away
 * from zero. Floats are written as they are. Errors: INVALID_INPUT for NaN, which no integer stands for.
 */
export function quantizeInto(
  target: TypedArray,
  { name, dtype, scale, zeroPoint }: Quantized,
  reals: ArrayLike<number>,
): void {
  const to = target as Int8Array;
  const [low, high] = BOUNDS[dtype] ?? [-Infinity, Infinity];
  if (scale === 0 || !(dtype in BOUNDS)) to.set(reals);
  else
    for (let i = 0; i < to.length; i++) {
      const quotient = Math.fround(Math.fround(reals[i] as number) / Math.fround(scale));
      if (Number.isNaN(quotient)) throw notANumber(name, i);
      const rounded = Math.sign(quotient) * Math.floor(Math.abs(quotient) + 0.5) + zeroPoint;
      to[i] = Math.min(Math.max(rounded, low), high);
    }
}

const notANumber = (name: string, index: number) =>
  new Pint8Error("INVALID_INPUT", {
    where: `tensor "${name}", element ${index}`,
    expected: "a real number: no integer stands for others",
    received: "NaN",
    hint: "Check how the input was prepared.",
  });

/**
 * The elements of a quantized tensor that stand for these real numbers, `round(real / scale) + zeroPoint`, saturated.
 *
 * Errors: INVALID_INPUT for tensors that are not quantized (and hold no floats), and for another number of elements than the
 * tensor has.
 */
export function quantize<P extends TensorInfo>(port: P, reals: ArrayLike<number>): ArrayOf<P["dtype"]> {
  requirePort("quantize", port);
  requireNumbers("quantize", reals);
  const length = elementCount(port.shape);
  requireReals(port);
  ensure(reals.length === length, "INVALID_INPUT", () => ({
    where: `tensor "${port.name}"`,
    expected: `${length} numbers`,
    received: `${reals.length}`,
  }));
  const values = typedCopy(port.dtype, new Uint8Array(byteLength(port)));
  quantizeInto(values, port, reals);
  return values as ArrayOf<P["dtype"]>;
}

/**
 * The real numbers that an output's elements stand for, `scale · (q − zeroPoint)`; floats and integers that are not quantized
 * as they are. `values` are the elements, or all outputs of a run, of which the tensor's own are taken by its name.
 *
 * Errors: INVALID_INPUT where there are none of that name.
 */
export function dequantize(port: Quantized, values: ArrayLike<number | bigint> | Outputs): Float32Array {
  requirePort("dequantize", port);
  ensure(typeof values === "object" && values !== null, "INVALID_INPUT", () => ({
    where: "dequantize",
    expected: "the elements of an output, or all outputs of a run",
    received: kindOf(values),
  }));
  const elements = isList(values) ? values : (values as Outputs)[port.name];
  ensure(isList(elements), "INVALID_INPUT", () => ({
    where: `tensor "${port.name}"`,
    expected: "its elements, or outputs with its name",
    received: `outputs ${Object.keys(values).join(", ")}`,
  }));
  const { scale, zeroPoint } = port;
  const [factor, offset] = scale === 0 ? [1, 0] : [scale, zeroPoint];
  const reals = new Float32Array(elements.length);
  for (let i = 0; i < reals.length; i++) reals[i] = factor * (Number(elements[i]) - offset);
  return reals;
}

/** Refuses what is no input or output. */
export function requirePort(where: string, port: unknown): void {
  const { dtype } = Object(port) as { readonly dtype?: unknown };
  ensure(typeof dtype === "string", "INVALID_INPUT", () => ({
    where,
    expected: "an input or output of a model, as model.inputs[0]",
    received: kindOf(port),
  }));
}

/** Whether a value is an array: what only has a length may say any. */
const isList = (values: unknown): values is ArrayLike<number | bigint> =>
  Array.isArray(values) || ArrayBuffer.isView(values);

function requireNumbers(where: string, values: unknown): void {
  ensure(isList(values), "INVALID_INPUT", () => ({
    where,
    expected: "a typed array or a list of numbers",
    received: kindOf(values),
    hint: "What run returns are all outputs by their names: take one of them.",
  }));
}

function requireReals(port: TensorInfo): void {
  ensure(takesReals(port), "INVALID_INPUT", () => ({
    where: `tensor "${port.name}"`,
    expected: "a quantized tensor, or one of floats",
    received: port.dtype,
    hint: "Give it the typed array of its own elements.",
  }));
}

/** One entry of an output: its place, its number, and the name of its class. */
export interface Score {
  readonly index: number;
  readonly value: number;
  readonly label?: string;
}

/**
 * The `k` largest numbers, the first of equal ones first; `labels` name the places.
 *
 * ```ts
 * const [best] = topK(dequantize(model.outputs[0], out), 1, ["cat", "dog"]);
 * ```
 *
 * Errors: INVALID_INPUT where there are no numbers; INVALID_OPTION for a `k` below 1.
 */
export function topK(
  out: ArrayLike<number> | NumberArray,
  k = 5,
  labels?: readonly string[],
): readonly [Score, ...Score[]] {
  ensure(Number.isInteger(k) && k >= 1, "INVALID_OPTION", () => ({
    where: "topK",
    expected: "a whole number from 1",
    received: kindOf(k),
  }));
  ensure(labels === undefined || Array.isArray(labels), "INVALID_OPTION", () => ({
    where: "topK",
    expected: "labels as an array of names, one for each place",
    received: kindOf(labels),
    hint: 'text.trim().split("\\n") makes them of lines.',
  }));
  requireNumbers("topK", out);
  ensure(out.length > 0, "INVALID_INPUT", () => ({ where: "topK", expected: "numbers", received: "none" }));
  const key = (index: number) => (Number.isNaN(out[index]) ? -Infinity : (out[index] as number));
  return Array.from(out as ArrayLike<number>, (_, index) => index)
    .sort((a, b) => key(b) - key(a) || a - b)
    .slice(0, k)
    .map((index): Score => {
      const label = labels?.[index];
      return { index, value: out[index] as number, ...(label === undefined ? {} : { label }) };
    }) as unknown as readonly [Score, ...Score[]];
}
