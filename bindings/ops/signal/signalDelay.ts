import type { Operator } from "../types.ts";
import { ends, like, requireRange, requireState, requireTypes, rowsOf } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, and a state that the importer makes. */
    readonly signalDelay: { readonly length: number };
  }
}

/** Elements of the state of one row. */
const delayRoom = (length: number) => Math.max(length, 1);

const MOST = 2 ** 20;

/** Int16 rows after `length` earlier values. C1, C2, C4, C5: see `signals.ts`. C3: a length up to 2^20. */
export const signalDelay: Operator<"signalDelay"> = {
  infer(node) {
    requireTypes(node, ["int16", "int16"], ["int16"]);
    const { length } = node.attributes;
    requireRange(node, "a length", length, 0, MOST);
    requireState(node, "int16", rowsOf(node).rows * delayRoom(length));
    return [like(node, "int16")];
  },
  lower(node, to) {
    const { x, y } = ends(node, to);
    const { length } = node.attributes;
    to.call({
      kernel: "signalDelay",
      params: {
        x,
        y,
        state: to.input(1),
        whole: 0,
        ...rowsOf(node),
        size: length,
        step: 0,
        room: delayRoom(length),
        before: 0,
      },
    });
  },
};
