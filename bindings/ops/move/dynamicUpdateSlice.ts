import { whole } from "../../primitives/move/view.ts";
import { startTable, walkBytes, walkCalls, walkFrom } from "../../primitives/move/walk.ts";
import { BITS, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, requireConstant, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, update, begins (one integer a dimension). */
    readonly dynamicUpdateSlice: Record<never, never>;
  }
}

/** The update's place: a view of the output that begins at 0. */
function walkOf(node: NodeView<"dynamicUpdateSlice">) {
  const [x, update] = [inputOf(node, 0), inputOf(node, 1)];
  const all = whole(x.shape);
  const to = { offset: 0, sizes: update.shape, strides: all.strides };
  return { from: whole(update.shape), to, size: BITS[x.dtype] / 8 };
}

const limitsOf = (node: NodeView<"dynamicUpdateSlice">) =>
  inputOf(node, 0).shape.map((n, d) => n - (inputOf(node, 1).shape[d] as number));

/**
 * x with a part of it written over; where it begins is held so that the part lies inside. Any type. C1: x, update and
 * begins, one output. C2: the type stays and has whole bytes; at most eight dimensions. C3: the update has x's type and
 * rank and is not larger. C4: one int32 or int64 begin a dimension.
 */
export const dynamicUpdateSlice: Operator<"dynamicUpdateSlice"> = {
  infer(node) {
    requireTensors(node, 3, 1);
    const [x, update, begins] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
    requireData(node, x);
    requireDType(node, "C3", update, x.dtype);
    const fits = update.shape.length === x.shape.length && update.shape.every((n, d) => n <= (x.shape[d] as number));
    constrain(node, "C3", fits, () => ({
      expected: `an update inside ${listText(x.shape)}`,
      received: listText(update.shape),
    }));
    requireDType(node, "C4", begins, "int32", "int64");
    constrain(node, "C4", begins.shape.length === 1 && begins.shape[0] === x.shape.length, () => ({
      expected: `${x.shape.length} begins`,
      received: listText(begins.shape),
    }));
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  fold(node) {
    const y = Uint8Array.from(inputOf(node, 0).data as Uint8Array);
    const walk = walkOf(node);
    const limits = limitsOf(node);
    const begins = requireConstant(node, "C4", inputOf(node, 2));
    const offset = begins.reduce((at, begin, d) => {
      return at + Math.min(Math.max(begin, 0), limits[d] as number) * (walk.to.strides[d] as number);
    }, 0);
    walkBytes({ ...walk, to: { ...walk.to, offset } }, inputOf(node, 1).data as Uint8Array, y);
    return [y];
  },
  inPlace: () => [0],
  touched: (node) => elementCount(inputOf(node, 1).shape),
  lower(node, to) {
    const { shape } = inputOf(node, 0);
    const walk = walkOf(node);
    const [x, update, begins, y] = [to.input(0), to.input(1), to.input(2), to.output(0)];
    const all = { from: whole(shape), to: whole(shape), size: walk.size };
    if (x !== y) for (const call of walkCalls(all, x, y)) to.call(call);
    const start = {
      begins,
      beginBytes: BITS[inputOf(node, 2).dtype] / 8,
      limitTable: to.place(startTable(limitsOf(node), walk.to.strides, walk.size)),
      rank: shape.length,
      onto: "y",
    } as const;
    for (const call of walkFrom(walk, update, y, start)) to.call(call);
  },
};
