import type { Operator } from "../types.ts";
import { ends, like, requireTypes } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly signalAutoScale: Record<never, never>;
  }
}

/** int16 shifted left as far as the largest allows; output 1 is how far, int32. C1, C2: see `requireTypes`. */
export const signalAutoScale: Operator<"signalAutoScale"> = {
  infer(node) {
    requireTypes(node, ["int16"], ["int16", "int32"]);
    return [like(node, "int16"), { dtype: "int32", shape: [] }];
  },
  inPlace: () => [0],
  lower(node, to) {
    to.call({ kernel: "signalAutoScale", params: { ...ends(node, to), scale: to.output(1) } });
  },
};
