import { typeText } from "../../tensor.ts";
import { constrain } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /**
     * A shape, or scores of classes and how many of them to draw; last a state that the importer makes. Seeds are int32, as TensorFlow
     * Lite reads them: the same numbers in every session, and again after `reset()`, also where both are 0.
     */
    readonly random: {
      readonly of: "uniform" | "normal" | "classes";
      readonly seed: number;
      readonly seed2: number;
    };
  }
}

/**
 * Random numbers as TensorFlow Lite draws them, which `open/philox.ts` makes of other operators where the shape is known.
 *
 * C1: a constant shape of float32, or float32 scores [batch, classes] and a constant count.
 */
export const random: Operator<"random"> = {
  infer(node) {
    constrain(
      node,
      "C1",
      node.outputs.length === 0,
      () => ({
        expected: "sizes that are known when planned: a shape of int32, or float32 [batch, classes] and a count",
        received: node.inputs.slice(0, -1).map(typeText).join(", "),
      }),
      "UNSUPPORTED",
    );
    return [];
  },
  lower() {},
};
