/** What the two NON_MAX_SUPPRESSION operators share. */
import { elementCount, listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, requireConstant, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

type Suppression = "nonMaxSuppressionV4" | "nonMaxSuppressionV5";

/** The most that are kept, which is how long the outputs are. */
function mostOf(node: NodeView<Suppression>): number {
  const [most = -1] = requireConstant(node, "C4", inputOf(node, 2));
  constrain(node, "C4", most >= 0 && most <= 2 ** 20, () => ({
    expected: "a limit from 0 on",
    received: String(most),
  }));
  return most;
}

/**
 * The best boxes by falling score without those that overlap a better one. C1: boxes, scores, limit, overlap, threshold,
 * and of V5 sigma; places, of V5 scores, and how many. C2: float32 but the limit, places and count, which are int32. C3:
 * boxes `[N,4]`, scores `[N]`, the rest scalars. C4: the limit a constant. Rows beyond the count are 0. Source: TFLite's
 * reference_ops::NonMaxSuppression.
 */
export function suppressionOperator<K extends Suppression>(kind: K): Operator<K> {
  const soft = kind === "nonMaxSuppressionV5";
  return {
    infer(view) {
      const node = view as NodeView<Suppression>;
      const [ins, outs] = soft ? ([6, 3] as const) : ([5, 2] as const);
      requireTensors(node, ins, outs);
      const types = [...Array(ins).keys()].map((i) => (i === 2 ? ("int32" as const) : ("float32" as const)));
      for (const [i, dtype] of types.entries()) requireDType(node, "C2", inputOf(node, i), dtype);
      const outputTypes = soft ? (["int32", "float32", "int32"] as const) : (["int32", "int32"] as const);
      for (const [i, y] of node.outputs.entries()) requireDType(node, "C2", y, outputTypes[i] ?? "int32");
      const [boxes, scores = [], ...scalars] = types.map((_, i) => inputOf(node, i).shape);
      const [count = 0] = scores;
      const fits = scores.length === 1 && `${boxes}` === `${count},4`;
      constrain(node, "C3", fits && scalars.every((shape) => elementCount(shape) === 1), () => ({
        expected: "boxes [N,4], scores [N] and scalars",
        received: `boxes ${listText(boxes ?? [])}, scores ${listText(scores)}`,
      }));
      const most = mostOf(node);
      return outputTypes.map((dtype, i) => ({ dtype, shape: i === outputTypes.length - 1 ? [] : [most] }));
    },
    lower(view, to) {
      const node = view as NodeView<Suppression>;
      const boxes = sizeOf(inputOf(node, 1), 0);
      to.call({
        kernel: "suppress",
        params: {
          x: to.input(0),
          scores: to.input(1),
          limit: to.input(2),
          overlap: to.input(3),
          threshold: to.input(4),
          sigma: to.input(5),
          y: to.output(0),
          yScores: soft ? to.output(1) : 0,
          yCount: to.output(soft ? 2 : 1),
          ...to.scratch(boxes * 12),
          boxes,
          most: mostOf(node),
          inOrder: Number("inOrder" in node.attributes),
        },
      });
    },
  };
}
