import { elementCount } from "../../tensor.ts";
import { constrain, inputOf } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { ends, like, requireCount, requireRange, requireTypes } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, and the noise so far, a variable that the importer makes; to the signal that is left, and the noise. */
    readonly signalSubtraction: {
      readonly smoothing: number;
      readonly rest: number;
      readonly oddSmoothing: number;
      readonly oddRest: number;
      readonly least: number;
      readonly clamping: boolean;
      readonly smoothingBits: number;
      readonly bits: number;
    };
  }
}

/**
 * Takes the noise of the frames so far out of uint32. C1, C2, C4: see `requireTypes`. C3: factors of 32 bits, shifts below
 * 32. C5: the noise so far is a variable.
 */
export const signalSubtraction: Operator<"signalSubtraction"> = {
  infer(node) {
    requireTypes(node, ["uint32", "uint32"], ["uint32", "uint32"]);
    const { smoothing, rest, oddSmoothing, oddRest, least, smoothingBits, bits } = node.attributes;
    for (const factor of [smoothing, rest, oddSmoothing, oddRest, least])
      requireRange(node, "a factor", factor, 0, 2 ** 31 - 1);
    for (const shift of [smoothingBits, bits]) requireRange(node, "a shift", shift, 0, 31);
    const state = inputOf(node, 1);
    requireCount(node, state, elementCount(inputOf(node, 0).shape));
    constrain(node, "C5", state.variable === true, () => ({ expected: "a variable", received: `"${state.name}"` }));
    return [like(node, "uint32"), like(node, "uint32")];
  },
  lower(node, to) {
    const params = { ...ends(node, to), noise: to.output(1), state: to.input(1) };
    if (params.count === 0) return;
    const { clamping, ...numbers } = node.attributes;
    to.call({ kernel: "signalSubtraction", params: { ...params, ...numbers, clamping: clamping ? 1 : 0 } });
  },
};
