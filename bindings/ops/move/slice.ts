import { cut, whole } from "../../primitives/move/view.ts";
import { startTable, walkFrom } from "../../primitives/move/walk.ts";
import { BITS, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { type Move, moving, requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, begin, size (both one integer a dimension). */
    readonly slice: Record<never, never>;
  }
}

function shapeOf(node: NodeView<"slice">): readonly number[] {
  const { shape } = inputOf(node, 0);
  const sizes = requireConstant(node, "C3", inputOf(node, 2));
  const begins = beginsOf(node) ?? shape.map(() => 0);
  const fits =
    sizes.length === shape.length &&
    begins.length === shape.length &&
    shape.every((all, d) => {
      const [begin, size] = [begins[d], sizes[d]] as [number, number];
      return begin >= 0 && begin <= all && size >= -1 && begin + Math.max(size, 0) <= all;
    });
  constrain(node, "C4", fits, () => ({
    expected: `begins and sizes inside ${listText(shape)}`,
    received: `begin [${beginsOf(node)?.join(",") ?? "computed"}], size ${listText(sizes)}`,
  }));
  return shape.map((all, d) => (sizes[d] === -1 ? all - (begins[d] as number) : (sizes[d] as number)));
}

const beginsOf = (node: NodeView<"slice">) =>
  inputOf(node, 1).data === undefined ? undefined : requireConstant(node, "C3", inputOf(node, 1));

function movesOf(node: NodeView<"slice">): readonly Move[] {
  const sizes = shapeOf(node);
  const begins = beginsOf(node) ?? sizes.map(() => 0);
  const all = whole(inputOf(node, 0).shape);
  return [{ x: 0, y: 0, from: sizes.reduce((v, n, d) => cut(v, d, begins[d] as number, n), all), to: whole(sizes) }];
}

const { fold, lower } = moving(movesOf);

/**
 * Part of a tensor, any type. C1: x, begin and size, one output. C2: the type stays and has whole bytes; at most eight
 * dimensions. C3: size is a constant; begin may be computed and is held inside then. C4: the part is inside; size −1 is
 * all that is left.
 */
export const slice: Operator<"slice"> = {
  infer(node) {
    requireTensors(node, 3, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    requireDType(node, "C3", inputOf(node, 1), "int32", "int64");
    if (beginsOf(node) === undefined)
      constrain(
        node,
        "C4",
        inputOf(node, 1).shape.length === 1 && inputOf(node, 1).shape[0] === x.shape.length,
        () => ({
          expected: `${x.shape.length} begins`,
          received: listText(inputOf(node, 1).shape),
        }),
      );
    return [{ dtype: x.dtype, shape: shapeOf(node) }];
  },
  fold,
  lower(node, to) {
    if (beginsOf(node) !== undefined) return lower(node, to);
    const x = inputOf(node, 0);
    const [{ from, to: y }] = movesOf(node) as readonly [Move];
    const size = BITS[x.dtype] / 8;
    const sizes = outputOf(node).shape;
    const limits = x.shape.map((all, d) => all - (sizes[d] as number));
    const start = {
      begins: to.input(1),
      beginBytes: BITS[inputOf(node, 1).dtype] / 8,
      limitTable: to.place(startTable(limits, whole(x.shape).strides, size)),
      rank: sizes.length,
      onto: "x",
    } as const;
    for (const call of walkFrom({ from, to: y, size }, to.input(0), to.output(0), start)) to.call(call);
  },
};
