/** Parts of complex64, whose elements are a real and an imaginary float32. */
import { inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { callPairsF32, callPairsInt, constantOperand } from "./pairs.ts";
import { ends } from "./unary.ts";

/** C1: one input, one output. C2: complex64 to float32. */
export function complexPart<K extends "real" | "imag" | "complexAbs">(kind: K): Operator<K> {
  return {
    infer(node) {
      requireInputs(node, 1);
      requireDType(node, "C2", inputOf(node, 0), "complex64");
      const dtype = requireDType(node, "C2", outputOf(node), "float32");
      return [{ dtype, shape: inputOf(node, 0).shape }];
    },
    lower(_, to) {
      const [x, y] = ends(to);
      const real = { shape: x.shape, address: x.address, stride: 8 };
      const imaginary = { ...real, address: x.address + 4 };
      if (kind === "complexAbs") callPairsF32(to, "hypot", { a: real, b: imaginary, y });
      else {
        const b = constantOperand(to, "int32", 0);
        callPairsInt(to, "or", "int32", { a: kind === "real" ? real : imaginary, b, y });
      }
    },
  };
}
