/** Reductions over axes. */
import type { Attributes, TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { type Adder, adderOf, operands, setIn } from "../elementwise.ts";
import { lastAxis } from "../layout.ts";
import { isDequantized } from "../quantized.ts";
import { NONE } from "../types.ts";
import { axisOf, reshapedTo } from "./move.ts";

export type Reduction = "mean" | "sum" | "reduceProd" | "reduceMax" | "reduceMin";

/** The axes of a reduction: an input, an attribute, or all; none at all where `noop_with_empty_axes` says so. */
export function axesOf(n: OnnxNode): readonly number[] {
  const { shape } = n.input(0);
  const given = n.inputs[1] === undefined ? n.ints("axes") : n.numbers(1);
  if (given === undefined || given.length === 0)
    return n.int("noop_with_empty_axes", 0) !== 0 ? [] : shape.map((_, i) => i);
  return given.map((axis) => axisOf(n, axis, shape.length));
}

/** What is computed before or after a reduction. */
export type Formula = (x: TensorId, add: Adder, n: OnnxNode) => TensorId;

export const asIs: Formula = (x) => x;

/** True of sums over the last axes, which onnxruntime adds several at a time; over others it goes row by row. */
const isAlong = (kind: Reduction, axes: readonly number[], rank: number): kind is "mean" | "sum" =>
  !kind.startsWith("reduce") && axes.every((axis) => axis >= rank - axes.length);

/** Floats that are added one to the next: of more the last places of the sum are lost. */
const MOST_TERMS = 4096;

/** Sums or means over axes: of many floats of parts first, then of these. */
export function added(
  n: OnnxNode,
  kind: "mean" | "sum",
  x: TensorId,
  axes: readonly number[],
  keepDims: boolean,
): TensorId {
  const { shape, dtype } = n.b.tensor(x);
  const reduce = (id: TensorId, over: readonly number[], keeps: boolean) =>
    n.add(kind, [id, n.b.integers(over)], { keepDims: keeps }, [{ dtype }])[0] as TensorId;
  const sizes = axes.map((axis) => shape[axis] as number);
  if (dtype !== "float32" || elementCount(sizes) <= MOST_TERMS) return reduce(x, axes, keepDims);
  const [axis, size] = [axes.at(-1) as number, sizes.at(-1) as number];
  if (axes.length > 1) {
    const [first, others] = [added(n, kind, x, [axis], true), axes.slice(0, -1)];
    const y = added(n, kind, first, others, true);
    return keepDims
      ? y
      : reshapedTo(
          n,
          y,
          shape.filter((_, d) => !axes.includes(d)),
        );
  }
  let part = Math.floor(Math.sqrt(size));
  while (size % part !== 0) part--;
  const split = [...shape.slice(0, axis), size / part, part, ...shape.slice(axis + 1)];
  const sums = reduce(reshapedTo(n, x, split), [axis + 1], false);
  return reduce(sums, [axis], keepDims);
}

/** A reduction of entries that all count, `before` and `after` being formulas around it. */
export function reduced(n: OnnxNode, kind: Reduction, before: Formula = asIs, after: Formula = asIs): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const axes = axesOf(n);
  const keepDims = n.int("keepdims", 1) === 1;
  const add = adderOf(n, x.dtype);
  // of all places samples and channels are left, which either order has so
  const isWhole = axes.length === rank - 2 && axes.every((axis) => axis > 1);
  const isEither = keepDims || isWhole || axes.length === 0;
  const { ids, isLast } = isEither ? operands(n, [x]) : { ids: [n.plain(x)], isLast: false };
  const isOrdered = isLast && (keepDims || !isWhole);
  const from = before(ids[0] as TensorId, add, n);
  const own = isLast ? axes.map((axis) => lastAxis(axis, rank)) : axes;
  const attributes = { keepDims } as Attributes[Reduction];
  // sums of dequantized rows are rounded row by row: as a mean they would be summed as integers, and ties fall otherwise
  if (kind === "mean" && isDequantized(n, x) && !isAlong(kind, axes, rank)) {
    const count = n.b.float(axes.reduce((all, axis) => all * (x.shape[axis] as number), 1));
    return setIn(n, isOrdered, add("div", [add("sum", [from, n.b.integers(own)], attributes), count], NONE));
  }
  // the mean of nothing is 0
  const isEmpty = axes.some((axis) => x.shape[axis] === 0);
  const y =
    axes.length === 0
      ? from
      : isEmpty || !isAlong(kind, axes, rank) || before !== asIs || isDequantized(n, x)
        ? add(isEmpty && kind === "mean" ? "sum" : kind, [from, n.b.integers(own)], attributes)
        : added(n, kind, from, own, keepDims);
  // the greatest of no truth is false, the least true
  const isNone = isEmpty && x.dtype === "bool";
  setIn(n, isOrdered, isNone ? add(kind === "reduceMax" ? "notEqual" : "equal", [y, y], {}) : after(y, add, n));
}

/** The same of any entries. */
export const reduction =
  (kind: Reduction, before?: Formula, after?: Formula): Conversion =>
  (n) =>
    n.input(0).open === undefined ? reduced(n, kind, before, after) : n.rarely("open reduction", n);

export const REDUCTIONS: Conversions = {
  ReduceMean: /* @__PURE__ */ reduction("mean"),
  ReduceSum: /* @__PURE__ */ reduction("sum"),
  ReduceMax: /* @__PURE__ */ reduction("reduceMax"),
};
