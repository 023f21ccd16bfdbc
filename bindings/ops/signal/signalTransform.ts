import { transformTables } from "../../primitives/signal/transform.ts";
import { elementCount } from "../../tensor.ts";
import { constrain, inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireRange, requireTypes } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly signalTransform: { readonly length: number };
  }
}

/**
 * The Fourier transform of real int16 rows, filled up with 0 to a length, as `length/2 + 1` complex int16 scaled down by
 * the length. C1, C2: see `requireTypes`. C3: a length from 4 to 65536. C4: a power of two, no shorter than the rows.
 */
export const signalTransform: Operator<"signalTransform"> = {
  infer(node) {
    requireTypes(node, ["int16"], ["int16"]);
    const { shape } = inputOf(node, 0);
    const { length } = node.attributes;
    requireRange(node, "a length", length, 4, 65536);
    const depth = shape.at(-1) ?? 0;
    constrain(node, "C4", Number.isInteger(Math.log2(length)) && depth <= length && shape.length > 0, () => ({
      expected: `a power of two no less than ${depth}`,
      received: String(length),
    }));
    return [{ dtype: "int16", shape: [...shape.slice(0, -1), length + 2] }];
  },
  lower(node, to) {
    const { shape } = inputOf(node, 0);
    const rows = elementCount(shape.slice(0, -1));
    if (rows === 0) return;
    const { length } = node.attributes;
    const { stages, order, twiddles, splits } = transformTables(length);
    const bytes = (array: Uint16Array | Int16Array | Uint32Array) => new Uint8Array(array.buffer);
    to.call({
      kernel: "signalTransform",
      params: {
        ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0 },
        ...to.scratch(length * 2),
        ...{ rows, depth: shape.at(-1) ?? 0, length, order: to.place(bytes(order)) },
        ...{ twiddles: to.place(bytes(twiddles)), splits: to.place(bytes(splits)), stages: stages.length },
        stageTable: to.place(bytes(Uint32Array.from(stages.flatMap(({ radix, span }) => [radix, span])))),
      },
    });
  },
};
