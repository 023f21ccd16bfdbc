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
  const [energies, weights, complements] = [0, 1, 2].map((i) => elementCount(inputOf(node, i).shape));
  const [frequencies, places, widths] = [3, 4, 5].map((i) => constantShorts(node, i));
  const most = Math.min(weights ?? 0, complements ?? 0);
  const inside = (widths ?? []).every((width, c) => {
    const [from, place] = [frequencies?.[c] ?? -1, places?.[c] ?? -1];
    return width <= 0 || (from >= 0 && place >= 0 && from + width <= (energies ?? 0) && place + width <= most);
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
    const [x = 0, weights = 0, unweights = 0, frequencies = 0, places = 0, widths = 0] = to.inputs.map(
      (input) => input?.address ?? 0,
    );
    const y = to.output(0);
    const { channels } = node.attributes;
    to.call({
      kernel: "signalFilterBank",
      params: { x, y, weights, unweights, frequencies, places, widths, channels },
    });
  },
};
