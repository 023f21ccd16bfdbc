/** Reductions over axes, and what looks for extremes along one. */
import type { Attributes, TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { type Adder, adderOf, operands, setIn } from "../elementwise.ts";
import { lastAxis, type Open, permuted } from "../layout.ts";
import { boundary } from "../open.ts";
import { isDequantized } from "../quantized.ts";
import { axisOf, reshapedTo, typeOf } from "./move.ts";
import { isWhole, logOf, rootOf } from "./wholes.ts";

type Reduction = "mean" | "sum" | "reduceProd" | "reduceMax" | "reduceMin";
const NONE = { activation: "none" } as const;

/** The axes of a reduction: an input, an attribute, or all; none at all where `noop_with_empty_axes` says so. */
function axesOf(n: OnnxNode): readonly number[] {
  const { shape } = n.input(0);
  const given = n.inputs[1] === undefined ? n.ints("axes") : n.numbers(1);
  if (given === undefined || given.length === 0)
    return n.int("noop_with_empty_axes", 0) !== 0 ? [] : shape.map((_, i) => i);
  return given.map((axis) => axisOf(n, axis, shape.length));
}

/** What is computed before or after a reduction. */
type Formula = (x: TensorId, add: Adder, n: OnnxNode) => TensorId;

const asIs: Formula = (x) => x;

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
    n.b.add(kind, n.where, [id, n.b.integers(over)], { keepDims: keeps }, [{ dtype }])[0] as TensorId;
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

/** `before` and `after` are formulas around the reduction. */
function reduction(kind: Reduction, before: Formula = asIs, after: Formula = (x) => x): Conversion {
  return (n) => {
    const x = n.input(0);
    const rank = x.shape.length;
    const axes = axesOf(n);
    const keepDims = n.int("keepdims", 1) !== 0;
    if (x.open !== undefined && axes.includes(boundary(n, x, x.open))) return reduceOpen(n, kind, axes, before, after);
    const add = adderOf(n, x.dtype);
    const { ids, isLast } = keepDims || axes.length === 0 ? operands(n, [x]) : { ids: [n.plain(x)], isLast: false };
    const from = before(ids[0] as TensorId, add, n);
    const own = isLast ? axes.map((axis) => lastAxis(axis, rank)) : axes;
    const attributes = { keepDims } as Attributes[Reduction];
    // the mean of nothing is 0
    const isEmpty = axes.some((axis) => x.shape[axis] === 0);
    const y =
      axes.length === 0
        ? from
        : isEmpty || !isAlong(kind, axes, rank) || before !== asIs || isDequantized(n, x)
          ? add(isEmpty && kind === "mean" ? "sum" : kind, [from, n.b.integers(own)], attributes)
          : added(n, kind, from, own, keepDims);
    setIn(n, isLast, after(y, add, n));
  };
}

/** What changes nothing in place of entries that do not count. */
const FILLS = {
  mean: 0,
  sum: 0,
  reduceProd: 1,
  reduceMax: Number.NEGATIVE_INFINITY,
  reduceMin: Number.POSITIVE_INFINITY,
};

/** Over entries of which the first ones count. */
function reduceOpen(n: OnnxNode, kind: Reduction, axes: readonly number[], before: Formula, after: Formula): void {
  const x = n.input(0);
  const { count } = x.open as Open;
  const k = boundary(n, x, x.open as Open);
  const add = adderOf(n, x.dtype);
  if (x.dtype !== "float32" && !Number.isFinite(FILLS[kind])) n.refuse("float32 of an open length", x.dtype);
  const places = n.b.integers(
    [...Array(x.shape[k] as number).keys()],
    x.shape.map((size, i) => (i === k ? size : 1)),
  );
  const counts = add("less", [places, count], {}, "bool");
  const fill = x.dtype === "float32" ? n.b.float(FILLS[kind]) : add("cast", [n.b.integers([FILLS[kind]], [])], {});
  const from = add("selectV2", [counts, before(n.plain(x), add, n), fill], {});
  const attributes = { keepDims: n.int("keepdims", 1) !== 0 };
  const y = add(kind === "mean" ? "sum" : kind, [from, n.b.integers(axes)], attributes as Attributes[Reduction]);
  if (kind !== "mean")
    return n.set(0, { shape: n.b.tensor(y).shape, twins: { plain: after(y, add, n) }, isWhole: true });
  const others = axes.reduce((all, axis) => (axis === k ? all : all * (x.shape[axis] as number)), 1);
  const total = add("mul", [add("cast", [count], {}, "float32"), n.b.float(others)], NONE, "float32");
  n.set(0, { shape: n.b.tensor(y).shape, twins: { plain: add("div", [y, total], NONE) }, isWhole: true });
}

const square = (x: TensorId, add: Adder): TensorId => add("mul", [x, x], NONE);

/** log(Σ exp(x − m)) + m, of the greatest m. */
function logSumExp(n: OnnxNode): void {
  const x = n.input(0);
  const all = axesOf(n);
  const axes = n.b.integers(all);
  const keepDims = n.int("keepdims", 1) !== 0;
  const add = adderOf(n, x.dtype);
  const id = n.plain(x);
  if (all.length === 0) return n.setPlain(0, id);
  if (all.some((axis) => x.shape[axis] === 0))
    return n.setPlain(0, logOf(add("sum", [id, axes], { keepDims }), add, n));
  const greatest = add("reduceMax", [id, axes], { keepDims: true });
  // of whole numbers terms are whole, too: 1 for the greatest, 0 below
  const terms = isWhole(x.dtype)
    ? add("cast", [add("equal", [id, greatest], {}, "bool")], {})
    : add("exp", [add("sub", [id, greatest], NONE)], {});
  const total = logOf(add("sum", [terms, axes], { keepDims: true }), add, n);
  const y = add("add", [total, greatest], NONE);
  const shape = x.shape.filter((_, i) => !all.includes(i));
  n.setPlain(0, keepDims ? y : reshapedTo(n, y, shape));
}

/** x with its elements along an axis in the other direction. */
function reversed(n: OnnxNode, id: TensorId, axis: number): TensorId {
  return n.b.add("reverse", n.where, [id, n.b.integers([axis])], {}, [typeOf(n, id)])[0] as TensorId;
}

/** ArgMax and ArgMin: int64 places, of equals the first or the last. */
function extreme(kind: "argMax" | "argMin"): Conversion {
  return (n) => {
    const x = n.input(0);
    const axis = axisOf(n, n.int("axis", 0), x.shape.length);
    const isLast = n.int("select_last_index", 0) !== 0;
    const type = [{ dtype: "int64" }] as const;
    const from = isLast ? reversed(n, n.plain(x), axis) : n.plain(x);
    let [y] = n.b.add(kind, n.where, [from, n.b.integers([axis])], {}, type);
    if (isLast) {
      const end = n.b.constant("int64", [], BigInt64Array.of(BigInt((x.shape[axis] as number) - 1)));
      [y] = n.b.add("sub", n.where, [end, y], NONE, type);
    }
    const shape = x.shape.map((size, i) => (i === axis ? 1 : size));
    n.setPlain(0, n.int("keepdims", 1) ? reshapedTo(n, y as TensorId, shape) : (y as TensorId));
  };
}

/** 1 at the first greatest along an axis, 0 elsewhere. */
function hardmax(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const isOld = n.opset < 13;
  const axis = axisOf(n, n.int("axis", isOld ? 1 : -1), rank);
  const count = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
  const shape = isOld ? [count(x.shape.slice(0, axis)), count(x.shape.slice(axis))] : x.shape;
  const own = isOld ? 1 : axis;
  const id = isOld ? reshapedTo(n, n.plain(x), shape) : n.plain(x);
  const [places] = n.b.add("argMax", n.where, [id, n.b.integers([own])], {}, [{ dtype: "int64" }]);
  const inputs = [places, n.b.integers([shape[own] as number], []), n.b.float(1), n.b.float(0)];
  const [y] = n.b.add("oneHot", n.where, inputs, { axis: own }, [{ dtype: "float32" }]);
  n.setPlain(0, reshapedTo(n, y as TensorId, x.shape));
}

/** A function of the last dimension, along any axis; before opset 13 along all dimensions from it on. */
function alongAxis(kind: "softmax" | "logSoftmax"): Conversion {
  return (n) => {
    const x = n.input(0);
    const rank = x.shape.length;
    const isOld = n.opset < 13;
    const axis = axisOf(n, n.int("axis", isOld ? 1 : -1), rank);
    const run = (id: TensorId): TensorId =>
      (kind === "softmax"
        ? n.b.add("softmax", n.where, [id], { beta: 1 }, [{ dtype: "float32" }])
        : n.b.add("logSoftmax", n.where, [id], {}, [{ dtype: "float32" }]))[0] as TensorId;
    if (isOld) {
      const count = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
      const flat = reshapedTo(n, n.plain(x), [count(x.shape.slice(0, axis)), count(x.shape.slice(axis))]);
      return n.setPlain(0, reshapedTo(n, run(flat), x.shape));
    }
    const { ids, isLast } = operands(n, [x]);
    const id = ids[0] as TensorId;
    const own = isLast ? lastAxis(axis, rank) : axis;
    if (own === rank - 1) return setIn(n, isLast, run(id));
    // the axis goes last, and back
    const order = x.shape.map((_, i) => (i === own ? rank - 1 : i === rank - 1 ? own : i));
    const moved = permuted(n.b, n.where, id, n.b.tensor(id).shape, order);
    const y = run(moved);
    setIn(n, isLast, permuted(n.b, n.where, y, n.b.tensor(y).shape, order));
  };
}

function cumulative(n: OnnxNode): void {
  const x = n.input(0);
  const axis = axisOf(n, n.number(1, 0), x.shape.length);
  const attributes = { exclusive: n.int("exclusive", 0) !== 0, reverse: n.int("reverse", 0) !== 0 };
  const [y] = n.b.add("cumsum", n.where, [n.plain(x), n.b.integers([axis], [])], attributes, [{ dtype: x.dtype }]);
  n.setPlain(0, y as TensorId);
}

export const REDUCTIONS: Conversions = {
  ReduceMean: reduction("mean"),
  ReduceSum: reduction("sum"),
  ReduceProd: reduction("reduceProd"),
  ReduceMax: reduction("reduceMax"),
  ReduceMin: reduction("reduceMin"),
  ReduceSumSquare: reduction("sum", square),
  ReduceL1: reduction("sum", (x, add) => add("abs", [x], {})),
  ReduceL2: reduction("sum", square, rootOf),
  ReduceLogSum: reduction("sum", (x) => x, logOf),
  ReduceLogSumExp: logSumExp,
  Hardmax: hardmax,
  ArgMax: extreme("argMax"),
  ArgMin: extreme("argMin"),
  Softmax: alongAxis("softmax"),
  LogSoftmax: alongAxis("logSoftmax"),
  CumSum: cumulative,
};
