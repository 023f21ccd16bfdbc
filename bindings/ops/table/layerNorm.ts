import { elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** Over how many of the last dimensions, and what is added to the variance. */
    readonly layerNorm: { readonly dimensions: number; readonly epsilon: number };
  }
}

/**
 * (x − mean) / √(variance + epsilon) · scale + bias over the last dimensions. C1: x, and if there are any, scale and bias of as
 * many elements as are normalized together. C2: all float32. C3: 1 to all of x's dimensions. Source: ONNX's LayerNormalization.
 */
export const layerNorm: Operator<"layerNorm"> = {
  infer(node) {
    const { dimensions } = node.attributes;
    const x = inputOf(node, 0);
    constrain(node, "C3", dimensions >= 1 && dimensions <= x.shape.length, () => ({
      expected: `1 to ${x.shape.length} dimensions`,
      received: `${dimensions}`,
    }));
    requireDType(node, "C2", outputOf(node), "float32");
    const depth = elementCount(x.shape.slice(-dimensions));
    for (const [i, tensor] of node.inputs.entries()) {
      if (tensor === undefined) continue;
      requireDType(node, "C2", tensor, "float32");
      constrain(node, "C1", i === 0 || (i < 3 && elementCount(tensor.shape) === depth), () => ({
        expected: `${depth} values`,
        received: listText(tensor.shape),
      }));
    }
    return [{ dtype: "float32", shape: x.shape }];
  },
  inPlace: () => [0],
  lower(node, to) {
    const { dimensions, epsilon } = node.attributes;
    const { shape } = inputOf(node, 0);
    const depth = elementCount(shape.slice(-dimensions));
    if (elementCount(shape) === 0) return;
    to.call({
      kernel: "layerNormF32",
      params: {
        x: to.input(0),
        y: to.output(0),
        rows: elementCount(shape) / depth,
        depth,
        beta: epsilon,
        scaleTable: to.input(1),
        bias: to.input(2),
      },
    });
  },
};
