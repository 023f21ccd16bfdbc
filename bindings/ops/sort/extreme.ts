/** What ARG_MAX and ARG_MIN share. */
import type { DType } from "../../tensor.ts";
import { elementCount } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { alongAxis, axisOf } from "./axis.ts";

type Extreme = "argMax" | "argMin";

/** Kernels by element type. */
const KERNEL = {
  int8: "argS8",
  uint8: "argU8",
  bool: "argU8",
  int16: "argS16",
  int32: "argS32",
  int64: "argS64",
  float32: "argF32",
} as const satisfies { readonly [D in DType]?: string };

/**
 * Where along an axis the greatest or the least element is, the first of equals. C1: x and an axis, one output. C2: x of
 * 8, 16, 32 or 64 bits, bool or float32; the output int32 or int64. C3: the axis one constant. C4: inside the rank. C5:
 * something along it. Source: TFLite's reference_ops::ArgMinMax.
 */
export function extremeOperator<K extends Extreme>(kind: K): Operator<K> {
  return {
    infer(node) {
      requireInputs(node, 2);
      const x = inputOf(node, 0);
      requireDType(node, "C2", x, ...(Object.keys(KERNEL) as (keyof typeof KERNEL)[]));
      const dtype = requireDType(node, "C2", outputOf(node), "int32", "int64");
      const axis = axisOf(node);
      constrain(node, "C5", x.shape[axis] !== 0, () => ({ expected: "elements along the axis", received: "none" }));
      return [{ dtype, shape: x.shape.filter((_, i) => i !== axis) }];
    },
    lower(node, to) {
      const { dtype } = inputOf(node, 0);
      const y = outputOf(node);
      if (elementCount(y.shape) === 0) return;
      to.call({
        kernel: KERNEL[dtype as keyof typeof KERNEL],
        params: {
          ...alongAxis(node, to),
          least: kind === "argMin" ? 1 : 0,
          size: y.dtype === "int64" ? 8 : 4,
        },
      });
    },
  };
}
