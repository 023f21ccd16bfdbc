/** Quantization as ONNX writes it down, by scales that are constants. */
import type { Conversions, OnnxNode } from "../convert.ts";
import type { Value } from "../layout.ts";
import { dequantized, FULL, knownQuantization, quantizedValue, setQuantized } from "../quantized.ts";
import { fewBounds, SMALL_FLOATS } from "../small.ts";
import { axisIn } from "./move.ts";

/** The axis that scales lie along: a list has one alone, whichever is stated. */
export const axisOfScales = (n: OnnxNode, { shape }: Value): number =>
  shape.length < 2 ? 0 : axisIn(n, 1, shape.length);

/** The type of the result, by ONNX's number: the zero point's, or stated. */
export const codeOf = (n: OnnxNode): number => n.inputs[2]?.code ?? n.int("output_dtype", 0);

function quantizeLinear(n: OnnxNode): void {
  const x = n.input(0);
  const code = codeOf(n);
  const isWhole = SMALL_FLOATS[code] === undefined && n.int("block_size", 0) === 0;
  const known = isWhole && knownQuantization(n, n.inputs[1], n.inputs[2], axisOfScales(n, x));
  const dtype = n.inputs[2]?.dtype ?? (code === 0 ? "uint8" : n.typeOf(code));
  const value = known && quantizedValue(n, x, known, dtype, FULL, fewBounds(code));
  if (value) return setQuantized(n, value);
  n.rarely("computed quantization", n);
}

function dequantizeLinear(n: OnnxNode): void {
  const x = n.input(0);
  const known =
    n.int("block_size", 0) !== 0 ? undefined : knownQuantization(n, n.inputs[1], n.inputs[2], axisOfScales(n, x));
  const value = known && dequantized(n, x, known);
  if (value) return n.set(0, value);
  n.rarely("computed quantization", n);
}

export const QUANTIZATIONS: Conversions = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
};
