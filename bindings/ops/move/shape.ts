import type { DType } from "../../tensor.ts";
import { inputOf, outputOf, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { bytesOfNumbers } from "../values.ts";
import { fromTypes } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** The type of the sizes. */
    readonly shape: { readonly dtype: "int32" | "int64" };
  }
}

const bytesOf = (node: NodeView<"shape">) => bytesOfNumbers(dtypeOf(node), inputOf(node, 0).shape);
const dtypeOf = (node: NodeView<"shape">): DType => node.attributes.dtype;

/** The sizes of x, known when planned. C1: x, one output. C2: int32 or int64 sizes. */
export const shape: Operator<"shape"> = {
  infer(node) {
    requireTensors(node, 1, 1);
    requireDType(node, "C2", outputOf(node), node.attributes.dtype);
    return [{ dtype: dtypeOf(node), shape: [inputOf(node, 0).shape.length] }];
  },
  ...fromTypes(bytesOf),
};
