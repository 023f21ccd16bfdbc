import { logTable } from "../../primitives/signal/transform.ts";
import type { Operator } from "../types.ts";
import { ends, like, requireRange, requireTypes } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly signalLog: { readonly scale: number; readonly correction: number };
  }
}

/** Natural logarithms of uint32 shifted left, times a scale, as int16. C1, C2: see `requireTypes`. C3: a shift below 32. */
export const signalLog: Operator<"signalLog"> = {
  infer(node) {
    requireTypes(node, ["uint32"], ["int16"]);
    requireRange(node, "a scale", node.attributes.scale, 0, 2 ** 31 - 1);
    requireRange(node, "a shift", node.attributes.correction, 0, 31);
    return [like(node, "int16")];
  },
  lower(node, to) {
    const { count, ...addresses } = ends(node, to);
    if (count === 0) return;
    const table = to.place(new Uint8Array(logTable().buffer));
    to.call({ kernel: "signalLog", params: { ...addresses, count, logTable: table, ...node.attributes } });
  },
};
