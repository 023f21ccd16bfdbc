import { roundHalfAway } from "../../primitives/requantize/quantization.ts";
import { constrain, inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { callPairsF32, constantOperand } from "./pairs.ts";
import { callUnaryF32, ends } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly fakeQuant: { readonly min: number; readonly max: number; readonly bits: number; readonly narrow: boolean };
  }
}

const f = Math.fround;

/** The range moved so that 0 is one of its steps, in float32. */
function nudged({ min, max, bits, narrow }: { min: number; max: number; bits: number; narrow: boolean }) {
  const [least, most] = [narrow ? 1 : 0, 2 ** bits - 1];
  const scale = f(f(f(max) - f(min)) / (most - least));
  const zero = roundHalfAway(Math.min(Math.max(f(least - f(f(min) / scale)), least), most));
  return { scale, lo: f((least - zero) * scale), hi: f((most - zero) * scale) };
}

/**
 * Rounding to the steps of a quantization, float32. C1: one input, one output. C2: float32. C3: 2 to 16 bits, and a range
 * that is not empty. Source: TFLite's FakeQuantizeArray.
 */
export const fakeQuant: Operator<"fakeQuant"> = {
  infer(node) {
    requireInputs(node, 1);
    const dtype = requireDType(node, "C2", inputOf(node, 0), "float32");
    requireDType(node, "C2", outputOf(node), dtype);
    const { min, max, bits } = node.attributes;
    constrain(node, "C3", bits >= 2 && bits <= 16 && min < max && Number.isFinite(max - min), () => ({
      expected: "2 to 16 bits and a range that is not empty",
      received: `${bits} bits, ${min} to ${max}`,
    }));
    return [{ dtype, shape: inputOf(node, 0).shape }];
  },
  inPlace: () => [0],
  lower(node, to) {
    const y = ends(to)[1];
    const { scale, lo, hi } = nudged(node.attributes);
    const constant = (value: number) => constantOperand(to, "float32", value);
    callUnaryF32(to, { form: "clamp", lo, hi });
    callPairsF32(to, "sub", { a: y, b: constant(lo), y });
    callPairsF32(to, "mul", { a: y, b: constant(f(1 / scale)), y });
    // halves are rounded up, which for numbers from 0 on is away from zero
    callPairsF32(to, "add", { a: y, b: constant(0.5), y });
    callUnaryF32({ ...to, inputs: [y] }, { form: "floor" });
    callPairsF32(to, "mul", { a: y, b: constant(scale), y });
    callPairsF32(to, "add", { a: y, b: constant(lo), y });
  },
};
