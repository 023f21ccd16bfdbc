/** What the Fourier transform and its inverse share. */
import { transformTables } from "../../primitives/signal/transform.ts";
import { inputOf, requireDType } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { requireRange, requireTypes } from "./signals.ts";

type Transform = "signalTransform" | "signalInverse";

/** C1 to C3: what is transformed, whose output is of the same type, to or from how many real numbers. */
export function transformed(node: NodeView<Transform>) {
  const [x] = node.inputs;
  const dtype = x === undefined ? "int16" : requireDType(node, "C2", x, "int16", "int32", "float32");
  requireTypes(node, [dtype], [dtype]);
  const { length } = node.attributes;
  requireRange(node, "a length", length, 4, 65536);
  return { dtype, shape: inputOf(node, 0).shape, length };
}

/** One call of the kernel for integers. */
export function callTransform(
  node: NodeView<Transform>,
  to: Lowering,
  sizes: { readonly rows: number; readonly depth: number; readonly length: number; readonly inverse: 0 | 1 },
): void {
  const wide = inputOf(node, 0).dtype === "int32";
  const { length, inverse } = sizes;
  const numbers = wide ? Int32Array : Int16Array;
  const { stages, order, twiddles, splits } = transformTables(length, numbers, inverse ? 1 : -1);
  const bytes = (array: Uint16Array | Int16Array | Int32Array | Uint32Array) => new Uint8Array(array.buffer);
  to.call({
    kernel: "signalTransform",
    params: {
      x: to.input(0),
      y: to.output(0),
      ...to.scratch(length * numbers.BYTES_PER_ELEMENT),
      ...sizes,
      order: to.place(bytes(order)),
      wide: wide ? 1 : 0,
      twiddles: to.place(bytes(twiddles)),
      splits: to.place(bytes(splits)),
      stages: stages.length,
      stageTable: to.place(bytes(Uint32Array.from(stages.flatMap(({ radix, span }) => [radix, span])))),
    },
  });
}
