import { elementCount } from "../../tensor.ts";
import { constrain, inputOf } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { constantShorts, requireCount, requireRange, requireTypes } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** Energies, weights, their complements, and of each channel where it begins in both, and its width. */
    readonly signalFilterBank: { readonly channels: number };
  }
}

/** C4: every channel reads inside the energies and the weights. */
function requireInside(node: NodeView<"signalFilterBank">): void {
  const count = (i: number) => elementCount(inputOf(node, i).shape);
  const [frequencies, places] = [constantShorts(node, 3), constantShorts(node, 4)];
  const [energies, most] = [count(0), Math.min(count(1), count(2))];
  const inside = constantShorts(node, 5).every((width, c) => {
    const [from, place] = [frequencies[c] as number, places[c] as number];
    return width <= 0 || (from >= 0 && place >= 0 && from + width <= energies && place + width <= most);
  });
  constrain(node, "C4", inside, () => ({
    expected: "channels inside the energies and weights",
    received: "one beyond them",
  }));
}

/**
 * Sums of uint32 by int16 weights, as uint64. C1, C2: see `requireTypes`. C3: from 1 to 65535 channels. C4: every channel
 * inside the energies and weights. C5: starts and widths constant.
 */
export const signalFilterBank: Operator<"signalFilterBank"> = {
  infer(node) {
    requireTypes(node, ["uint32", "int16", "int16", "int16", "int16", "int16"], ["uint64"]);
    const { channels } = node.attributes;
    requireRange(node, "channels", channels, 1, 65535);
    for (const i of [3, 4, 5]) requireCount(node, inputOf(node, i), channels + 1);
    requireInside(node);
    return [{ dtype: "uint64", shape: [channels] }];
  },
  lower(node, to) {
    to.call({
      kernel: "signalFilterBank",
      params: {
        x: to.input(0),
        y: to.output(0),
        weights: to.input(1),
        unweights: to.input(2),
        frequencies: to.input(3),
        places: to.input(4),
        widths: to.input(5),
        channels: node.attributes.channels,
      },
    });
  },
};
