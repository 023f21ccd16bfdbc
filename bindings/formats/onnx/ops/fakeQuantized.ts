/** Floats held to the steps of few bits, as Brevitas and QKeras export them by QONNX: Quant, BipolarQuant and Trunc. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { BOOL, FLOAT, INT32 } from "../types.ts";
import { real } from "./cast.ts";

const one = (n: OnnxNode, kind: "round" | "floor" | "ceil" | "sign", x: TensorId): TensorId =>
  n.add(kind, [x], {}, FLOAT)[0] as TensorId;

/** Numbers within 32 bits, rounded as the attribute says. */
function rounded(n: OnnxNode, x: TensorId, mode: string): TensorId {
  switch (mode) {
    case "ROUND":
    case "HALF_EVEN":
      return one(n, "round", x);
    case "FLOOR":
      return one(n, "floor", x);
    case "CEIL":
      return one(n, "ceil", x);
    case "ROUND_TO_ZERO":
    case "DOWN": {
      const [whole] = n.add("cast", [x], {}, INT32);
      return n.add("cast", [whole], {}, FLOAT)[0] as TensorId;
    }
    default:
      return n.refuse("rounding_mode ROUND, FLOOR, CEIL or ROUND_TO_ZERO", mode);
  }
}

/** A number that has to be known: bits. */
function bits(n: OnnxNode, i: number): number {
  const [count = 0, ...others] = n.numbers(i) ?? [];
  if (others.some((other) => other !== count)) n.refuse("one number of bits", "several");
  if (!(Number.isInteger(count) && count >= 1 && count <= 24)) n.refuse("1 to 24 bits", `${count}`);
  return count;
}

/** 1 where x is 0 or more, else −1. */
function polar(n: OnnxNode, x: TensorId): TensorId {
  const [isAbove] = n.add("greaterEqual", [x, n.b.float(0)], {}, BOOL);
  return n.add("selectV2", [isAbove, n.b.float(1), n.b.float(-1)], {}, FLOAT)[0] as TensorId;
}

/** x in steps from the zero point on; and back. */
const stepped = (n: OnnxNode, scale: TensorId, zero: TensorId) => ({
  steps: real(n, "add", real(n, "div", n.plain(n.input(0)), scale), zero),
  back: (y: TensorId) => n.setPlain(0, real(n, "mul", real(n, "sub", y, zero), scale)),
});

/** Inputs: x, scale, zero point, bits. Source: QONNX's `quant`. */
function quant(n: OnnxNode): void {
  const [scale, zero] = [n.plain(n.input(1)), n.plain(n.input(2))];
  const count = bits(n, 3);
  const signed = n.int("signed", 1) !== 0;
  const less = n.int("narrow", 0) !== 0 ? 1 : 0;
  const { steps, back } = stepped(n, scale, zero);
  if (signed && count === 1) return back(polar(n, steps));
  const [lo, hi] = signed ? [less - 2 ** (count - 1), 2 ** (count - 1) - 1] : [0, 2 ** count - 1 - less];
  const [below] = n.add("minimum", [steps, n.b.float(hi)], {}, FLOAT);
  const [held] = n.add("maximum", [below, n.b.float(lo)], {}, FLOAT) as [TensorId];
  back(rounded(n, held, n.string("rounding_mode", "ROUND").toUpperCase()));
}

/** Inputs: x, scale, zero point, bits before and after. Lower bits are dropped. Source: QONNX's `trunc`. */
function trunc(n: OnnxNode): void {
  const { steps, back } = stepped(n, n.plain(n.input(1)), n.plain(n.input(2)));
  if (n.inputs.length !== 5) n.refuse("x, a scale, a zero point, bits before and after", `${n.inputs.length} inputs`);
  const dropped = n.b.float(2 ** (bits(n, 3) - bits(n, 4)));
  const mode = n.string("rounding_mode", "FLOOR").toUpperCase();
  back(rounded(n, real(n, "div", one(n, "round", steps), dropped), mode));
}

const bipolar = (n: OnnxNode): void =>
  n.setPlain(0, real(n, "mul", polar(n, n.plain(n.input(0))), n.plain(n.input(1))));

export const FAKE_QUANTIZED: Conversions = {
  "qonnx.Quant": quant,
  "qonnx.IntQuant": quant,
  "qonnx.BipolarQuant": bipolar,
  "qonnx.Trunc": trunc,
};
