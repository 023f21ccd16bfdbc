import { softmaxTable } from "../../primitives/table/tables.ts";
import { elementCount } from "../../tensor.ts";
import { constrain, inputOf, outputOf } from "../constraints.ts";
import { affineOf, inferUnary } from "../elementwise/elementwise.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly softmax: { readonly beta: number };
  }
}

/**
 * Softmax over the last dimension, int8. C1–C4: see `inferUnary`. C5: at least one dimension. C6: output scale 1/256,
 * zero point −128. C7: beta times the input scale is above 2^−26. Source: TFLite's reference_ops::Softmax.
 */
export const softmax: Operator<"softmax"> = {
  infer(node) {
    const types = inferUnary(node);
    const { shape } = inputOf(node, 0);
    constrain(node, "C5", shape.length > 0, () => ({ expected: "at least one dimension", received: "a scalar" }));
    const { scale, zeroPoint } = affineOf(outputOf(node));
    constrain(node, "C6", scale === 1 / 256 && zeroPoint === -128, () => ({
      expected: "an output with scale 1/256 and zero point −128",
      received: `scale ${scale}, zero point ${zeroPoint}`,
    }));
    const steepness = Math.fround(node.attributes.beta) * affineOf(inputOf(node, 0)).scale;
    constrain(node, "C7", steepness * 2 ** 26 > 1, () => ({
      expected: "beta · input scale above 2^−26",
      received: String(steepness),
    }));
    return types;
  },
  inPlace: () => [0],
  lower(node, to) {
    const { shape } = inputOf(node, 0);
    const table = softmaxTable(affineOf(inputOf(node, 0)), node.attributes.beta);
    to.call({
      kernel: "softmax",
      params: {
        x: to.inputs[0]?.address ?? 0,
        y: to.outputs[0]?.address ?? 0,
        rows: elementCount(shape.slice(0, -1)),
        depth: shape.at(-1) ?? 1,
        expTable: to.place(new Uint8Array(table.buffer)),
      },
    });
  },
};
