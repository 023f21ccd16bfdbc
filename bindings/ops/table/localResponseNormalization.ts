import { elementCount, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireImage, requireInputs } from "../constraints.ts";
import { callPairsF32, constantOperand } from "../elementwise/pairs.ts";
import { callUnaryF32, ends } from "../elementwise/unary.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly localResponseNormalization: {
      readonly radius: number;
      readonly bias: number;
      readonly alpha: number;
      readonly beta: number;
    };
  }
}

/**
 * x · (bias + alpha · sum of squares of the channels from c − radius to c + radius)^(−beta). C1: one input, one output. C2:
 * both float32. C3: x is `[N,H,W,C]` without empty dimensions. C4: a radius from 0 on. TFLite's reference leaves the last
 * channel of the window out, which its optimized kernel, TensorFlow and NNAPI do not.
 */
export const localResponseNormalization: Operator<"localResponseNormalization"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", x, "float32");
    requireDType(node, "C2", outputOf(node), "float32");
    requireImage(node, "C3", x);
    const { radius } = node.attributes;
    constrain(node, "C4", radius >= 0, () => ({ expected: "a radius from 0 on", received: String(radius) }));
    return [{ dtype: "float32", shape: x.shape }];
  },
  lower(node, to) {
    const { shape } = inputOf(node, 0);
    const depth = sizeOf({ shape }, -1);
    to.call({
      kernel: "localResponse",
      params: {
        x: to.input(0),
        y: to.output(0),
        rows: elementCount(shape.slice(0, -1)),
        depth,
        ...node.attributes,
        radius: Math.min(node.attributes.radius, depth),
      },
    });
    const [x, y] = ends(to);
    const most = Number.POSITIVE_INFINITY;
    const inPlace = { ...to, inputs: [y] };
    callUnaryF32(inPlace, { form: "log" });
    callPairsF32(to, "mul", { a: y, b: constantOperand(to, "float32", -node.attributes.beta), y }, "none", most);
    callUnaryF32(inPlace, { form: "exp" });
    callPairsF32(to, "mul", { a: x, b: y, y }, "none", most);
  },
};
