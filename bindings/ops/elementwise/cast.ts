import { ELEMENT, ELEMENTS, type Element } from "../../primitives/elementwise/element.ts";
import { elementCount } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { readFloats, readIntegers, writeFloats, writeIntegers } from "./integers.ts";
import { ends } from "./unary.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly cast: Record<never, never>;
  }
}

/**
 * One element type to another; scales are not looked at. Integers wrap, floats are cut towards zero, what is not 0 is true.
 * C1: one input, one output. C2: types of the kernel; float16 as input only. Source: TFLite's Cast on x86-64.
 */
export const cast: Operator<"cast"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", x, ...ELEMENTS);
    const dtype = requireDType(node, "C2", outputOf(node), ...ELEMENTS);
    constrain(
      node,
      "C2",
      dtype !== "float16",
      () => ({ expected: "another type", received: "float16" }),
      "UNSUPPORTED",
    );
    return [{ dtype, shape: x.shape }];
  },
  fold(node) {
    const x = inputOf(node, 0);
    const { dtype } = outputOf(node);
    const integers = x.dtype === "float32" ? undefined : readIntegers(x);
    const whole = dtype.startsWith("int") || dtype.startsWith("uint");
    if (integers !== undefined && dtype === "float32") return [writeFloats(integers.map(Number))];
    if (integers !== undefined && dtype === "bool")
      return [
        writeIntegers(
          dtype,
          integers.map((q) => (q ? 1n : 0n)),
        ),
      ];
    if (integers !== undefined && whole) return [writeIntegers(dtype, integers)];
    if (x.dtype === "float32" && dtype === "int32") {
      const floats = readFloats(x).map(Math.trunc);
      const fits = floats.every((value) => Math.abs(value) < 2 ** 31);
      return fits ? [writeIntegers(dtype, floats.map(BigInt))] : undefined;
    }
    return undefined;
  },
  lower(_node, to) {
    const [x, y] = ends(to);
    to.call({
      kernel: "cast",
      params: {
        ...{ x: x.address, y: y.address, count: elementCount(y.shape) },
        ...{ from: ELEMENT[x.dtype as Element], to: ELEMENT[y.dtype as Element] },
      },
      note: `cast ${x.dtype} to ${y.dtype}`,
    });
  },
};
