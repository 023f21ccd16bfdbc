import { constrain, inputOf } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { ends, requireRange, requireState, requireTypes, rowsOf } from "./signals.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, and a state that the importer makes. */
    readonly signalOverlapAdd: { readonly step: number };
  }
}

/**
 * Frames `[…,frames,size]` added `step` apart to `[…,frames·step]`, int16 saturating or float32. C1, C2, C4, C5: see `signals.ts`.
 * C3: a step from 1 to the size. C6: at least two dimensions.
 */
export const signalOverlapAdd: Operator<"signalOverlapAdd"> = {
  infer(node) {
    const dtype = node.inputs[0]?.dtype === "float32" ? "float32" : "int16";
    requireTypes(node, [dtype, dtype], [dtype]);
    const { frames, outer, size } = framesOf(node);
    requireRange(node, "a step", node.attributes.step, 1, size);
    requireState(node, dtype, outer * size);
    return [{ dtype, shape: [...inputOf(node, 0).shape.slice(0, -2), frames * node.attributes.step] }];
  },
  lower(node, to) {
    const { x, y } = ends(node, to);
    const { frames, outer, size } = framesOf(node);
    to.call({
      kernel: "signalOverlapAdd",
      params: {
        x,
        y,
        state: to.input(1),
        rows: outer,
        frames,
        size,
        step: node.attributes.step,
        real: inputOf(node, 0).dtype === "float32" ? 1 : 0,
      },
    });
  },
};

function framesOf(node: NodeView<"signalOverlapAdd">) {
  const { rows, depth } = rowsOf(node);
  const frames = inputOf(node, 0).shape.at(-2);
  constrain(node, "C6", frames !== undefined, () => ({ expected: "frames", received: "one dimension" }));
  return { frames, outer: rows / frames, size: depth };
}
