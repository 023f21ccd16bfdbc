import { listText } from "../../tensor.ts";
import { constrain, inputOf, requireAxis, requireAxisInput, requireConstant, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireData } from "./moving.ts";
import { movesAlong } from "./parts.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, sizes (constant), axis (constant); as many outputs as sizes. */
    readonly splitV: Record<never, never>;
  }
}

/**
 * Parts of given sizes along an axis, any type. C1: x, sizes and axis; outputs. C2: the type stays and has whole bytes;
 * at most eight dimensions. C3: one constant axis inside the rank. C4: constant sizes, one an output, that come to the
 * whole; one may be −1, what is left.
 */
export const splitV: Operator<"splitV"> = {
  infer(node) {
    requireTensors(node, 3);
    const x = inputOf(node, 0);
    requireData(node, x);
    const axis = requireAxisInput(node, "C3", 2, x.shape.length);
    const sizes = requireConstant(node, "C4", inputOf(node, 1));
    const all = x.shape[axis] as number;
    const known = sizes.reduce((sum, n) => sum + Math.max(n, 0), 0);
    const open = sizes.filter((n) => n === -1).length;
    const fits = sizes.length === node.outputs.length && sizes.every((n) => n >= -1) && open <= 1;
    constrain(node, "C4", fits && (open === 1 ? known <= all : known === all), () => ({
      expected: `${node.outputs.length} sizes that come to ${all}`,
      received: listText(sizes),
    }));
    return sizes.map((n) => ({
      dtype: x.dtype,
      shape: x.shape.map((size, d) => (d === axis ? (n === -1 ? all - known : n) : size)),
    }));
  },
  ...movesAlong<"splitV">(0, (node) =>
    requireAxis(node, "C3", requireConstant(node, "C3", inputOf(node, 2))[0] as number, inputOf(node, 0).shape.length),
  ),
};
