import { constrain, inputOf } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { ends, requireRange, requireState, requireTypes, rowsOf } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, and a state that the importer makes. */
    readonly signalFramer: { readonly size: number; readonly step: number; readonly prefill: boolean };
  }
}

type Framer = NodeView<"signalFramer">["attributes"];

/** Elements of the state of one row: what whole frames begin in, and a count. */
const framerRoom = ({ size, step, prefill }: Framer) => (prefill ? size : Math.ceil(size / step) * step) + 1;

const MOST = 2 ** 20;
const MOST_COUNT = 65535;

/**
 * Frames of int16 rows, `[…,frames,size]`, and whether they are whole; what is not is 0. C1, C2, C4, C5: see `signals.ts`.
 * C3: a size up to 2^20, and a step from 1 that it is no less than. C6: rows of whole steps.
 */
export const signalFramer: Operator<"signalFramer"> = {
  infer(node) {
    requireTypes(node, ["int16", "int16"], ["int16", "bool"]);
    const { size, step } = node.attributes;
    requireRange(node, "a size", size, 1, MOST);
    requireRange(node, "a step", step, Math.ceil(size / MOST_COUNT), size);
    const { rows, depth } = rowsOf(node);
    constrain(node, "C6", depth % step === 0, () => ({ expected: `rows of steps of ${step}`, received: `${depth}` }));
    requireState(node, "int16", rows * framerRoom(node.attributes));
    const { shape } = inputOf(node, 0);
    return [
      { dtype: "int16", shape: [...shape.slice(0, -1), depth / step, size] },
      { dtype: "bool", shape: [] },
    ];
  },
  lower(node, to) {
    const { x, y } = ends(node, to);
    const { size, step, prefill } = node.attributes;
    to.call({
      kernel: "signalFramer",
      params: {
        x,
        y,
        state: to.input(1),
        whole: to.output(1),
        ...rowsOf(node),
        size,
        step,
        room: framerRoom(node.attributes),
        before: prefill ? 0 : Math.ceil(size / step) - 1,
      },
    });
  },
};
