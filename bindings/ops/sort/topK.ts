import { type DType, elementCount } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireConstant,
  requireDimensions,
  requireDType,
  requireTensors,
} from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, k (a constant). */
    readonly topK: Record<never, never>;
  }
}

/** Kernels by element type. */
const KERNEL = {
  int8: "topS8",
  uint8: "topU8",
  int16: "topS16",
  int32: "topS32",
  int64: "topS64",
  float32: "topF32",
} as const satisfies { readonly [D in DType]?: string };

function countOf(node: NodeView<"topK">): number {
  const counts = requireConstant(node, "C3", inputOf(node, 1));
  const depth = inputOf(node, 0).shape.at(-1) ?? 0;
  const [k = -1] = counts;
  constrain(node, "C3", counts.length === 1 && k >= 0 && k <= depth, () => ({
    expected: `a k from 0 to ${depth}`,
    received: counts.join(","),
  }));
  return k;
}

/**
 * The k greatest of the last dimension in falling order, and where they are; of equals the first comes first. C1: x and
 * k, two outputs. C2: x and values of one type, of 8, 16, 32 or 64 bits or float32; places int32. C3: k a constant within
 * the last dimension. Source: TFLite's topk_v2.
 */
export const topK: Operator<"topK"> = {
  infer(node) {
    requireTensors(node, 2, 2);
    const x = inputOf(node, 0);
    const dtype = requireDType(node, "C2", x, ...(Object.keys(KERNEL) as (keyof typeof KERNEL)[]));
    const [values, places] = node.outputs as [typeof x, typeof x];
    requireDType(node, "C2", values, dtype);
    requireDType(node, "C2", places, "int32");
    requireDimensions(node, "C2", x);
    const shape = [...x.shape.slice(0, -1), countOf(node)];
    return [
      { dtype, shape },
      { dtype: "int32", shape },
    ];
  },
  lower(node, to) {
    const { dtype, shape } = inputOf(node, 0);
    if (elementCount(outputOf(node).shape) === 0) return;
    to.call({
      kernel: KERNEL[dtype as keyof typeof KERNEL],
      params: {
        x: to.input(0),
        y: to.output(0),
        places: to.output(1),
        rows: elementCount(shape.slice(0, -1)),
        depth: shape.at(-1) as number,
        k: countOf(node),
      },
    });
  },
};
