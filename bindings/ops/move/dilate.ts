import { cut, whole } from "../../primitives/move/view.ts";
import { elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, requireConstant, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { type Move, moving, requireData, requireMoves } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, one step per dimension (constant), the value between (constant). */
    readonly dilate: Record<never, never>;
  }
}

function stepsOf(node: NodeView<"dilate">): readonly number[] {
  return requireConstant(node, "C3", inputOf(node, 1));
}

function movesOf(node: NodeView<"dilate">): readonly Move[] {
  const { shape } = inputOf(node, 0);
  const steps = stepsOf(node);
  const to = shape.reduce((view, n, d) => cut(view, d, 0, n, steps[d]), whole(shapeOf(node)));
  return [{ x: 0, y: 0, from: whole(shape), to }];
}

const shapeOf = (node: NodeView<"dilate">): readonly number[] => {
  const steps = stepsOf(node);
  return inputOf(node, 0).shape.map((n, d) => (n === 0 ? 0 : (n - 1) * (steps[d] as number) + 1));
};

/**
 * Elements apart from each other, with one value between them. C1: x, steps and a value, one output. C2: the type stays and
 * has whole bytes; at most eight dimensions. C3: steps and value are constants. C4: one step from 1 per dimension. C5: the
 * value is one element of the same type. C6: few copies. Source: TFLite's dilate.
 */
export const dilate: Operator<"dilate"> = {
  infer(node) {
    requireTensors(node, 3, 1);
    const [x, value] = [inputOf(node, 0), inputOf(node, 2)];
    requireData(node, x);
    const steps = stepsOf(node);
    constrain(node, "C4", steps.length === x.shape.length && steps.every((n) => n >= 1 && n < 2 ** 31), () => ({
      expected: `${x.shape.length} steps from 1`,
      received: listText(steps),
    }));
    requireDType(node, "C5", value, x.dtype);
    constrain(node, "C5", elementCount(value.shape) === 1 && value.data !== undefined, () => ({
      expected: "one constant value",
      received: listText(value.shape),
    }));
    requireMoves(node, "C6", movesOf(node));
    return [{ dtype: x.dtype, shape: shapeOf(node) }];
  },
  ...moving<"dilate">(movesOf, (node) => inputOf(node, 2).data),
};
