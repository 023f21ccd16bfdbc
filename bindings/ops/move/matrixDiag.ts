import { elementCount } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireBytes, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly matrixDiag: Record<never, never>;
  }
}

/**
 * Square matrices with x on their diagonals and 0 elsewhere. C1: one input, one output. C2: the type stays, of whole
 * bytes. C3: at least one dimension. Source: TFLite's matrix_diag.
 */
export const matrixDiag: Operator<"matrixDiag"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    requireBytes(node, "C2", x);
    requireDType(node, "C2", outputOf(node), x.dtype);
    const size = x.shape.at(-1);
    constrain(node, "C3", size !== undefined, () => ({ expected: "at least one dimension", received: "a scalar" }));
    return [{ dtype: x.dtype, shape: [...x.shape, size as number] }];
  },
  lower(node, to) {
    const { shape } = inputOf(node, 0);
    const size = requireBytes(node, "C2", inputOf(node, 0));
    const depth = shape.at(-1) ?? 0;
    const total = elementCount(shape) * depth * size;
    if (total === 0) return;
    to.call({
      kernel: "pad",
      params: {
        ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0, yBytes: total },
        ...{ value: to.place(new Uint8Array(16)), size, offset: 0, bytes: size },
        ...{ d0: 1, d1: 1, d2: 1, d3: elementCount(shape.slice(0, -1)), d4: depth },
        ...{ y0: 0, y1: 0, y2: 0, y3: depth * depth * size, y4: (depth + 1) * size },
      },
      note: "diagonal",
    });
  },
};
