import { cut, whole } from "../../primitives/move/view.ts";
import { listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { type Axis, phaseCount, phases } from "./blocks.ts";
import { type Move, moving, requireData, zeroBytes } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, block sizes (constant), paddings `[axes,2]` (constant). */
    readonly spaceToBatch: Record<never, never>;
  }
}

function axesOf(node: NodeView<"spaceToBatch">): readonly Axis[] {
  const pads = requireConstant(node, "C3", inputOf(node, 2));
  return requireConstant(node, "C3", inputOf(node, 1)).map((block, d) => ({
    block,
    before: pads[2 * d] as number,
    size: inputOf(node, 0).shape[d + 1] as number,
  }));
}

function shapeOf(node: NodeView<"spaceToBatch">): readonly number[] {
  const pads = requireConstant(node, "C3", inputOf(node, 2));
  const axes = axesOf(node);
  const x = inputOf(node, 0);
  const sizes = x.shape.slice(1).map((size, d) => {
    const axis = axes[d];
    return axis === undefined ? size : (axis.before + size + (pads[2 * d + 1] as number)) / axis.block;
  });
  return [axes.reduce((all, { block }) => all * block, sizeOf(x, 0)), ...sizes];
}

/**
 * Pixels of blocks become batches; what is padded is zero in the output's quantization. C1: x, blocks and paddings, one
 * output. C2: the type stays and has whole bytes; at most eight dimensions. C3: blocks and paddings are constants. C4:
 * blocks from 1, paddings from 0, for the axes after the first; blocks divide what is padded. C5: at most 4096 copies.
 */
export const spaceToBatch: Operator<"spaceToBatch"> = {
  infer(node) {
    requireTensors(node, 3, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    const pads = requireConstant(node, "C3", inputOf(node, 2));
    const axes = axesOf(node);
    const fits = axes.length < x.shape.length && pads.length === 2 * axes.length && pads.every((n) => n >= 0);
    constrain(
      node,
      "C4",
      fits && axes.every(({ block }) => block >= 1) && shapeOf(node).every(Number.isInteger),
      () => ({
        expected: `blocks that divide the padded sizes of ${listText(x.shape)}`,
        received: `blocks ${listText(axes.map(({ block }) => block))}, paddings ${listText(pads)}`,
      }),
    );
    constrain(
      node,
      "C5",
      phaseCount(axes) !== undefined,
      () => ({ expected: "at most 4096 copies", received: `blocks ${listText(axes.map(({ block }) => block))}` }),
      "UNSUPPORTED",
    );
    return [{ dtype: x.dtype, shape: shapeOf(node) }];
  },
  ...moving<"spaceToBatch">(
    (node) => {
      const { shape } = inputOf(node, 0);
      const all = whole(outputOf(node).shape);
      const n = shape[0] as number;
      const axes = axesOf(node);
      return phases(whole(shape), all, axes).map(({ phase, grid, batch }): Move => {
        const number = phase.reduce((at, k, d) => at * (axes[d] as Axis).block + k, 0);
        return { x: 0, y: 0, from: grid, to: cut(batch, 0, number * n, n) };
      });
    },
    (node) =>
      requireConstant(node, "C3", inputOf(node, 2)).some((n) => n > 0) ? zeroBytes(outputOf(node)) : undefined,
  ),
};
