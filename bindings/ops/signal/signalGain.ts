import { elementCount } from "../../tensor.ts";
import { constrain, inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { ends, like, requireCount, requireRange, requireTypes } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, noise, table of gains. */
    readonly signalGain: { readonly shift: number };
  }
}

/** Numbers that the table of gains has for every number of bits: three, in groups of four. */
const GAINS = 125;

/** Automatic gain by the noise (PCAN), uint32. C1, C2, C4: see `requireTypes`. C3: a shift below 64. C5: 125 gains. */
export const signalGain: Operator<"signalGain"> = {
  infer(node) {
    requireTypes(node, ["uint32", "uint32", "int16"], ["uint32"]);
    requireRange(node, "a shift", node.attributes.shift, 0, 63);
    requireCount(node, inputOf(node, 1), elementCount(inputOf(node, 0).shape));
    const gains = elementCount(inputOf(node, 2).shape);
    constrain(node, "C5", gains >= GAINS, () => ({ expected: `${GAINS} gains`, received: String(gains) }));
    return [like(node, "uint32")];
  },
  inPlace: () => [0],
  lower(node, to) {
    const { shift } = node.attributes;
    const params = { ...ends(node, to), noise: to.input(1), gainTable: to.input(2), shift };
    if (params.count > 0) to.call({ kernel: "signalGain", params });
  },
};
