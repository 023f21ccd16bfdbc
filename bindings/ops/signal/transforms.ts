/** What the Fourier transform and its inverse share. */
import { transformTables } from "../../primitives/signal/transform.ts";
import { inputOf, requireDType } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";

type Transform = "signalTransform" | "signalInverse";

/** C2: the type of what is transformed. */
export function typeOf(node: NodeView<Transform>): "int16" | "int32" | "float32" {
  const [x] = node.inputs;
  return x === undefined ? "int16" : requireDType(node, "C2", x, "int16", "int32", "float32");
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
      ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0 },
      ...to.scratch(length * numbers.BYTES_PER_ELEMENT),
      ...{ ...sizes, order: to.place(bytes(order)), wide: wide ? 1 : 0 },
      ...{ twiddles: to.place(bytes(twiddles)), splits: to.place(bytes(splits)), stages: stages.length },
      stageTable: to.place(bytes(Uint32Array.from(stages.flatMap(({ radix, span }) => [radix, span])))),
    },
  });
}
