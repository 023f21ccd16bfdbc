import { cut, type View, whole } from "../../primitives/move/view.ts";
import { startTable, walkFrom } from "../../primitives/move/walk.ts";
import { BITS, sizeOf } from "../../tensor.ts";
import { inputOf, outputOf, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { moving, requireData, requireRank } from "./moving.ts";
import { type Range, rangesOf, type Spec, specsOf } from "./ranges.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /**
     * x, begin, end, strides. Bit i of a mask is about entry i of these: begin or end left out, an ellipsis, a new
     * dimension, a dimension that goes away. `offset`: ends count from the begins.
     */
    readonly stridedSlice: {
      readonly beginMask: number;
      readonly endMask: number;
      readonly ellipsisMask: number;
      readonly newAxisMask: number;
      readonly shrinkAxisMask: number;
      readonly offset?: boolean;
    };
  }
}

/** The elements of x, one range a dimension. */
function viewOf(node: NodeView<"stridedSlice">, ranges: readonly Range[]): View {
  const all = whole(inputOf(node, 0).shape);
  return ranges.reduce((view, { begin, count, step }, d) => cut(view, d, begin, count, step), all);
}

const { fold, lower } = moving<"stridedSlice">((node) => {
  const from = viewOf(node, rangesOf(node, specsOf(node)));
  return [{ x: 0, y: 0, from, to: whole(from.sizes) }];
});

/** The shape: what the ranges leave, without dimensions that go away, with new ones. */
function shapeOf(specs: readonly Spec[], ranges: readonly Range[]): readonly number[] {
  let d = 0;
  return specs.flatMap((spec) => {
    if (spec.kind === "new") return [1];
    const { count } = ranges[d++] as Range;
    return spec.kind === "index" ? [] : [count];
  });
}

/**
 * Ranges with steps of a tensor, any type. C1: x, begin, end and strides, one output. C2: the type stays and has whole
 * bytes; at most eight dimensions. C3: begin, end and strides are constants of one length; begins may be computed where
 * each is a single index or left out. C4: no more entries than dimensions; one ellipsis. C5: strides other than 0. C6:
 * single indices inside their dimension, with stride 1 or more.
 */
export const stridedSlice: Operator<"stridedSlice"> = {
  infer(node) {
    requireTensors(node, 4, 1);
    const x = inputOf(node, 0);
    requireData(node, x);
    for (const i of [1, 2, 3]) requireDType(node, "C3", inputOf(node, i), "int32", "int64");
    const specs = specsOf(node);
    const shape = shapeOf(specs, rangesOf(node, specs));
    requireRank(node, shape);
    return [{ dtype: x.dtype, shape }];
  },
  fold,
  lower(node, to) {
    const specs = specsOf(node);
    const x = inputOf(node, 0);
    const computed = specs.flatMap(({ entry, kind, begin }) =>
      kind === "index" && begin === undefined ? [entry] : [],
    );
    if (computed.length === 0) return lower(node, to);
    const size = BITS[x.dtype] / 8;
    const entries = sizeOf(inputOf(node, 1), 0);
    const limits = new Array<number>(entries).fill(0);
    const strides = new Array<number>(entries).fill(0);
    const dense = whole(x.shape).strides;
    for (const [d, { entry, kind }] of specs.filter((spec) => spec.kind !== "new").entries())
      if (kind === "index") {
        limits[entry as number] = (x.shape[d] as number) - 1;
        strides[entry as number] = dense[d] as number;
      }
    const from = viewOf(node, rangesOf(node, specs));
    const start = {
      begins: to.input(1),
      beginBytes: BITS[inputOf(node, 1).dtype] / 8,
      limitTable: to.place(startTable(limits, strides, size)),
      rank: entries,
      onto: "fromEnd",
    } as const;
    const walk = { from, to: whole(from.sizes), size };
    if (outputOf(node).shape.includes(0)) return;
    for (const call of walkFrom(walk, to.input(0), to.output(0), start)) to.call(call);
  },
};
