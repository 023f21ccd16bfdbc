/** Reductions that few networks have, and those over entries of which only a run can tell how many count. */

import type { Attributes, TensorId } from "../../../graph.ts";
import { GREATEST_FLOAT } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { type Adder, adderOf } from "../elementwise.ts";
import type { Open } from "../layout.ts";
import { boundary } from "../open.ts";
import { NONE } from "../types.ts";
import { entries, reshapedTo } from "./move.ts";
import { asIs, axesOf, type Formula, REDUCTIONS, type Reduction, reduced, reduction } from "./reduce.ts";
import { isWhole, logOf, rootOf } from "./wholes.ts";

/** A reduction with formulas around it. */
interface Formed {
  readonly kind: Reduction;
  readonly before?: Formula;
  readonly after?: Formula;
}

const square = (x: TensorId, add: Adder): TensorId => add("mul", [x, x], NONE);

/** What changes nothing in place of entries that do not count. */
const FILLS = {
  mean: 0,
  sum: 0,
  reduceProd: 1,
  reduceMax: Number.NEGATIVE_INFINITY,
  reduceMin: Number.POSITIVE_INFINITY,
};

/** Over entries of which the first ones count. */
function reduceOpen(n: OnnxNode, axes: readonly number[], { kind, before = asIs, after = asIs }: Formed): void {
  const x = n.input(0);
  const { count } = x.open as Open;
  const k = boundary(n, x, x.open as Open);
  const add = adderOf(n, x.dtype);
  if (x.dtype !== "float32" && !Number.isFinite(FILLS[kind])) n.refuse("float32 of an open length", x.dtype);
  const places = n.b.integers(
    [...Array(entries(n, x.shape[k] as number)).keys()],
    x.shape.map((size, i) => (i === k ? size : 1)),
  );
  const counts = add("less", [places, count], {}, "bool");
  const fill = x.dtype === "float32" ? n.b.float(FILLS[kind]) : add("cast", [n.b.integers([FILLS[kind]], [])], {});
  const from = add("selectV2", [counts, before(n.plain(x), add, n), fill], {});
  const attributes = { keepDims: n.int("keepdims", 1) === 1 };
  const y = add(kind === "mean" ? "sum" : kind, [from, n.b.integers(axes)], attributes as Attributes[Reduction]);
  if (kind !== "mean")
    return n.set(0, { shape: n.b.tensor(y).shape, twins: { plain: after(y, add, n) }, isWhole: true });
  const others = axes.reduce((all, axis) => (axis === k ? all : all * (x.shape[axis] as number)), 1);
  const total = add("mul", [add("cast", [count], {}, "float32"), n.b.float(others)], NONE, "float32");
  n.set(0, { shape: n.b.tensor(y).shape, twins: { plain: add("div", [y, total], NONE) }, isWhole: true });
}

/** log(Σ exp(x − m)) + m, of the greatest m, or of a finite one beside it: infinities have no difference. */
function logSumExp(n: OnnxNode): void {
  const x = n.input(0);
  const all = axesOf(n);
  const axes = n.b.integers(all);
  const keepDims = n.int("keepdims", 1) === 1;
  const add = adderOf(n, x.dtype);
  const id = n.plain(x);
  if (all.length === 0) return n.setPlain(0, id);
  if (all.some((axis) => x.shape[axis] === 0))
    return n.setPlain(0, logOf(add("sum", [id, axes], { keepDims }), add, n));
  let greatest = add("reduceMax", [id, axes], { keepDims: true });
  if (!isWhole(x.dtype)) {
    greatest = add("maximum", [n.b.float(-GREATEST_FLOAT), greatest], {});
    greatest = add("minimum", [n.b.float(GREATEST_FLOAT), greatest], {});
  }
  // of whole numbers terms are whole, too: 1 for the greatest, 0 below
  const terms = isWhole(x.dtype)
    ? add("cast", [add("equal", [id, greatest], {}, "bool")], {})
    : add("exp", [add("sub", [id, greatest], NONE)], {});
  const total = logOf(add("sum", [terms, axes], { keepDims: true }), add, n);
  const y = add("add", [total, greatest], NONE);
  const shape = x.shape.filter((_, i) => !all.includes(i));
  n.setPlain(0, keepDims ? y : reshapedTo(n, y, shape));
}

const FORMED: { readonly [operator: string]: Formed } = {
  ReduceMean: { kind: "mean" },
  ReduceSum: { kind: "sum" },
  ReduceProd: { kind: "reduceProd" },
  ReduceMax: { kind: "reduceMax" },
  ReduceMin: { kind: "reduceMin" },
  ReduceSumSquare: { kind: "sum", before: square },
  ReduceL1: { kind: "sum", before: (x, add) => add("abs", [x], {}) },
  ReduceL2: { kind: "sum", before: square, after: rootOf },
  ReduceLogSum: { kind: "sum", after: logOf },
};

/** A reduction of what has an open length. */
export function reductionOpen(n: OnnxNode): void {
  const x = n.input(0);
  const axes = axesOf(n);
  const formed = FORMED[n.operator] as Formed;
  if (axes.includes(boundary(n, x, x.open as Open))) reduceOpen(n, axes, formed);
  else reduced(n, formed.kind, formed.before, formed.after);
}

export const RARE_REDUCTIONS: Conversions = {
  ...Object.fromEntries(
    Object.entries(FORMED)
      .filter(([name]) => REDUCTIONS[name] === undefined)
      .map(([name, { kind, before, after }]) => [name, reduction(kind, before, after)]),
  ),
  ReduceLogSumExp: logSumExp,
};
