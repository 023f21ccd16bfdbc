import { inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { lowerLookup } from "./elementwise.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly logicalNot: Record<never, never>;
  }
}

const TABLE = Uint8Array.from({ length: 256 }, (_, byte) => (byte === 0 ? 1 : 0));

/** True where x is false. C1: one input, one output. C2: both bool. */
export const logicalNot: Operator<"logicalNot"> = {
  infer(node) {
    requireInputs(node, 1);
    const dtype = requireDType(node, "C2", inputOf(node, 0), "bool");
    requireDType(node, "C2", outputOf(node), dtype);
    return [{ dtype, shape: inputOf(node, 0).shape }];
  },
  fold: (node) => [(inputOf(node, 0).data as Uint8Array).map((byte) => TABLE[byte] as number)],
  inPlace: () => [0],
  lower: (_, to) => lowerLookup(to, TABLE, "not"),
};
