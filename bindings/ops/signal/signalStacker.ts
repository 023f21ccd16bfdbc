import { listText } from "../../tensor.ts";
import { constrain, inputOf } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { ends, requireRange, requireState, requireTypes, rowsOf } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, and a state that the importer makes. */
    readonly signalStacker: {
      readonly channels: number;
      readonly left: number;
      readonly right: number;
      readonly step: number;
    };
  }
}

type Stacker = NodeView<"signalStacker">["attributes"];

/** Elements of the state: rows that wait, and a count. */
const stackerRoom = ({ channels, left, right }: Stacker) => channels * (left + right + 1) + 1;

const MOST = 2 ** 14;

/**
 * The last rows of `channels` int16 on top of each other, and whether they are all there; what is not is 0. C1, C2, C5: see
 * `signals.ts`. C3: up to 2^14 channels and rows, a step from 1 to all rows. C4: x is one row.
 */
export const signalStacker: Operator<"signalStacker"> = {
  infer(node) {
    requireTypes(node, ["int16", "int16"], ["int16", "bool"]);
    const { channels, left, right, step } = node.attributes;
    requireRange(node, "channels", channels, 1, MOST);
    for (const rows of [left, right]) requireRange(node, "rows", rows, 0, MOST);
    requireRange(node, "a step", step, 1, left + right + 1);
    const { shape } = inputOf(node, 0);
    constrain(node, "C4", shape.length === 1 && shape[0] === channels, () => ({
      expected: `[${channels}]`,
      received: listText(shape),
    }));
    requireState(node, "int16", stackerRoom(node.attributes));
    return [
      { dtype: "int16", shape: [channels * (left + right + 1)] },
      { dtype: "bool", shape: [] },
    ];
  },
  lower(node, to) {
    const { x, y } = ends(node, to);
    const { left, step } = node.attributes;
    const room = stackerRoom(node.attributes);
    to.call({
      kernel: "signalStacker",
      params: {
        x,
        y,
        state: to.input(1),
        whole: to.output(1),
        ...rowsOf(node),
        size: room - 1,
        step,
        room,
        before: left,
      },
    });
  },
};
