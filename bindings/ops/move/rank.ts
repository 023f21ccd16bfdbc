import { inputOf, outputOf, requireDType, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { bytesOfNumbers } from "../values.ts";
import { fromTypes } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly rank: Record<never, never>;
  }
}

/** The number of dimensions of x, known when planned. C1: x, one output. C2: int32. */
export const rank: Operator<"rank"> = {
  infer(node) {
    requireTensors(node, 1, 1);
    requireDType(node, "C2", outputOf(node), "int32");
    return [{ dtype: "int32", shape: [] }];
  },
  ...fromTypes<"rank">((node) => bytesOfNumbers("int32", [inputOf(node, 0).shape.length])),
};
