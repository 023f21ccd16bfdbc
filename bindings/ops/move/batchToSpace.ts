import { cut, whole } from "../../primitives/move/view.ts";
import { listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { type Axis, phaseCount, phases } from "./blocks.ts";
import { type Move, moving, requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, block sizes (constant), crops `[axes,2]` (constant). */
    readonly batchToSpace: Record<never, never>;
  }
}

const blocksOf = (node: NodeView<"batchToSpace">) => requireConstant(node, "C3", inputOf(node, 1));
const cropsOf = (node: NodeView<"batchToSpace">) => requireConstant(node, "C3", inputOf(node, 2));

function shapeOf(node: NodeView<"batchToSpace">): readonly number[] {
  const blocks = blocksOf(node);
  const crops = cropsOf(node);
  const x = inputOf(node, 0);
  const sizes = x.shape.slice(1).map((size, d) => {
    const block = blocks[d];
    return block === undefined ? size : size * block - (crops[2 * d] as number) - (crops[2 * d + 1] as number);
  });
  return [sizeOf(x, 0) / blocks.reduce((all, block) => all * block, 1), ...sizes];
}

const axesOf = (node: NodeView<"batchToSpace">, y: readonly number[]): readonly Axis[] => {
  const crops = cropsOf(node);
  return blocksOf(node).map((block, d) => ({ block, before: crops[2 * d] as number, size: y[d + 1] as number }));
};

/**
 * Batches become pixels of blocks, any type. C1: x, blocks and crops, one output. C2: the type stays and has whole bytes;
 * at most eight dimensions. C3: blocks and crops are constants. C4: blocks from 1, crops from 0, for the axes after the
 * first; blocks divide the batches; crops leave something. C5: at most 4096 copies.
 */
export const batchToSpace: Operator<"batchToSpace"> = {
  infer(node) {
    requireTensors(node, 3, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    const blocks = blocksOf(node);
    const crops = cropsOf(node);
    const fits = blocks.length < x.shape.length && crops.length === 2 * blocks.length && crops.every((n) => n >= 0);
    const shape = fits ? shapeOf(node) : [];
    const whole = shape.every((n) => Number.isInteger(n) && n >= 0);
    constrain(node, "C4", fits && blocks.every((block) => block >= 1) && whole, () => ({
      expected: `blocks that divide the batches of ${listText(x.shape)}, and crops inside`,
      received: `blocks ${listText(blocks)}, crops ${listText(crops)}`,
    }));
    constrain(
      node,
      "C5",
      phaseCount(axesOf(node, shape)) !== undefined,
      () => ({ expected: "at most 4096 copies", received: `blocks ${listText(blocks)}` }),
      "UNSUPPORTED",
    );
    return [{ dtype: x.dtype, shape }];
  },
  ...moving<"batchToSpace">((node) => {
    const { shape } = outputOf(node);
    const n = shape[0] as number;
    const axes = axesOf(node, shape);
    return phases(whole(shape), whole(inputOf(node, 0).shape), axes).map(({ phase, grid, batch }): Move => {
      const number = phase.reduce((at, k, d) => at * (axes[d] as Axis).block + k, 0);
      return { x: 0, y: 0, from: cut(batch, 0, number * n, n), to: grid };
    });
  }),
};
