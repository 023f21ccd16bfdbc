import { BITS, typeText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireBytes, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly bitcast: Record<never, never>;
  }
}

/**
 * The same bytes as another type. C1: x, one output. C2: both of whole bytes. C3: to a smaller type there is one more
 * dimension, to a larger one the last goes away, which holds one element's parts.
 */
export const bitcast: Operator<"bitcast"> = {
  infer(node) {
    requireTensors(node, 1, 1);
    const x = inputOf(node, 0);
    const { dtype } = outputOf(node);
    const [from, to] = [requireBytes(node, "C2", x), requireBytes(node, "C2", outputOf(node))];
    if (from === to) return [{ dtype, shape: x.shape }];
    if (from > to) return [{ dtype, shape: [...x.shape, from / to] }];
    constrain(node, "C3", x.shape.at(-1) === to / from, () => ({
      expected: `a last dimension of ${to / from}`,
      received: `${typeText(x)}, ${BITS[x.dtype]} bits`,
    }));
    return [{ dtype, shape: x.shape.slice(0, -1) }];
  },
  fold: (node) => [inputOf(node, 0).data as Uint8Array],
  alias: true,
};
