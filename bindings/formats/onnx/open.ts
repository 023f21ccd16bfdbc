/**
 * Values whose length depends on data: NonZero, NonMaxSuppression, Compress. They are as long as they can get, what counts
 * comes first in them, and a tensor says how much that is; an output of the graph is cut to it. Operators that keep what
 * counts first pass it on.
 */
import type { TensorId } from "../../graph.ts";
import { elementCount, listText } from "../../tensor.ts";
import { COMPUTED } from "../text.ts";
import type { AddHere, Builder } from "./builder.ts";
import type { Open, Value } from "./layout.ts";
import { ARITHMETIC } from "./ops/arithmetic.ts";
import { CHOICES } from "./ops/choices.ts";
import { CURVES } from "./ops/curves.ts";
import { once } from "./ops/found.ts";
import { FUNCTIONS } from "./ops/functions.ts";
import { ELEMENTWISE as UNARY } from "./ops/unary.ts";
import { INT32, NONE } from "./types.ts";

/** What this file asks of a node under conversion. */
interface OpenNode {
  readonly where: string;
  readonly operator: string;
  readonly b: Builder;
  readonly add: AddHere;
  readonly inputs: readonly (Value | undefined)[];
  input(i: number): Value;
  numbers(i: number): readonly number[] | undefined;
  int(name: string, otherwise: number): number;
  ints(name: string): readonly number[] | undefined;
  refuse(expected: string, received: string, hint?: string): never;
}

const RESHAPES = new Set(["Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"]);
const ELEMENTWISE = { ...ARITHMETIC, ...CHOICES, ...CURVES, ...FUNCTIONS, ...UNARY };
const isElementwise = (operator: string): boolean => operator in ELEMENTWISE || /^(Max|Min|.*Linear)$/.test(operator);

/** Operators that compute each entry of input 0 by itself, as long as they do not go along what is open. */
const ROWWISE =
  /^((Global)?(Average|Max)Pool|(Batch|Instance|Layer)Normalization|Conv(Transpose)?|Dropout|Gemm|(Log)?Softmax|MatMul|Pad|Resize)$/;

/** The dimension from which on one of the entries that are counted stands. */
export function boundary(n: OpenNode, { shape }: Value, { inner }: Open): number {
  const k = shape.findIndex((_, i) => elementCount(shape.slice(i + 1)) === inner);
  if (k < 0 || elementCount(shape.slice(0, k)) !== 1) n.refuse("values whose length is known", listText(shape));
  return k;
}

/** What counts of an output of this shape, where an input is open. */
export function openOf(n: OpenNode, shape: readonly number[]): Open | undefined {
  const sizes = n.inputs.map((value) => (value?.open === undefined ? -1 : elementCount(value.shape)));
  const at = sizes.some((size) => size >= 0) ? sizes.indexOf(Math.max(...sizes)) : -1;
  const value = n.inputs[at];
  const open = value?.open;
  if (value === undefined || open === undefined) return undefined;
  const other = n.inputs.some((each) => each?.open !== undefined && each.open.count !== open.count);
  const refuse = () => n.refuse("values whose length is known when planned", `one of at most ${value.shape}`, COMPUTED);
  if (other) refuse();
  const { operator } = n;
  if (RESHAPES.has(operator)) return reshaped(n, open, shape);
  const [x] = n.inputs as readonly [Value];
  if (isElementwise(operator)) {
    const k = boundary(n, value, open);
    const to = k + shape.length - value.shape.length;
    if (shape[to] === value.shape[k] && elementCount(shape.slice(0, to)) === 1)
      return { ...open, inner: elementCount(shape.slice(to + 1)) };
  }
  if (operator === "RoiAlign" && at > 0) return { ...open, inner: elementCount(shape.slice(1)) };
  const indices = n.inputs[1];
  if (operator === "GatherElements" && indices?.open)
    return { ...indices.open, inner: elementCount(shape.slice(boundary(n, indices, indices.open) + 1)) };
  if (at === 0 && ROWWISE.test(operator)) {
    const k = boundary(n, x, open);
    const along = n.int("axis", -1);
    const isEach = k === 0 || /Layer|MatMul|Softmax/.test(operator);
    const isRows =
      isEach && shape[k] === x.shape[k] && (along < 0 ? along + x.shape.length : along) > k && !n.int("transA", 0);
    if (isRows) return { ...open, inner: elementCount(shape.slice(k + 1)) };
  }
  const axis = n.int("axis", 0) < 0 ? n.int("axis", 0) + x.shape.length : n.int("axis", 0);
  if (operator === "Gather" && at === 1 && elementCount(x.shape.slice(0, axis)) === 1 && x.open === undefined)
    return { ...open, inner: open.inner * elementCount(x.shape.slice(axis + 1)) };
  if (operator === "GatherND" && at === 1 && n.int("batch_dims", 0) === 0) {
    const depth = value.shape.at(-1) as number;
    if (open.inner % depth === 0) return { ...open, inner: (open.inner / depth) * elementCount(x.shape.slice(depth)) };
  }
  if (at === 0 && operator === "Gather" && axis > boundary(n, value, open)) {
    const [count, all] = [elementCount(n.input(1).shape), x.shape[axis] as number];
    return { ...open, inner: (open.inner / all) * count };
  }
  if (at === 0 && operator === "Split" && axis > boundary(n, value, open))
    return { ...open, inner: elementCount(shape.slice(boundary(n, value, open) + 1)) };
  if (at === 0 && /^(Arg(Max|Min)|CumSum|Reduce.*|TopK)$/.test(operator)) {
    const k = boundary(n, x, open);
    const one = operator === "TopK" ? n.int("axis", -1) : axis;
    const axes = /^(C|R)/.test(operator) ? (n.numbers(1) ?? n.ints("axes") ?? [k]) : [one];
    if (axes.every((each) => (each < 0 ? each + x.shape.length : each) > k) && shape[k] === x.shape[k])
      return { ...open, inner: elementCount(shape.slice(k + 1)) };
  }
  if (operator === "Transpose" && (keepsOrder(n, x) || keepsRows(n, boundary(n, x, open)))) return open;
  if (at === 0 && operator === "Slice") return sliced(n, value, open, shape);
  return refuse();
}

/** Counts as so many times others, or parts of them: once, for what is reshaped alike is of one length. */
const scaledCounts = /* @__PURE__ */ once<string, TensorId>();

/** What counts of the same elements in another shape: entries may be parts of those before, or several of them. */
function reshaped(n: OpenNode, open: Open, shape: readonly number[]): Open {
  const k = shape.findIndex((size) => size !== 1);
  const inner = elementCount(shape.slice(k + 1));
  const by = open.inner > inner ? open.inner / inner : inner / open.inner;
  const isSame = shape.some((_, i) => elementCount(shape.slice(i + 1)) === open.inner);
  if (isSame || k < 0 || !Number.isInteger(by)) return open;
  const [kind, back] = open.inner > inner ? (["mul", "floorDiv"] as const) : (["floorDiv", "mul"] as const);
  const count = scaledCounts(n.b, `${kind} ${open.count} ${by}`, () => {
    const inputs = [open.count, n.b.integers([by], [])];
    return n.add(kind, inputs, NONE as never, INT32)[0] as TensorId;
  });
  scaledCounts(n.b, `${back} ${count} ${by}`, () => open.count);
  return { count, inner };
}

/** True of a transpose that moves dimensions of size 1 only. */
function keepsOrder(n: OpenNode, { shape }: Value): boolean {
  const order = n.ints("perm") ?? shape.map((_, i) => shape.length - 1 - i);
  const moved = order.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number));
}

/** True of one that leaves the dimensions up to that of the entries where they are. */
const keepsRows = (n: OpenNode, k: number): boolean =>
  n
    .ints("perm")
    ?.slice(0, k + 1)
    .every((axis, i) => axis === i) ?? false;

/** Parts of the entries, or the first of them. */
function sliced(n: OpenNode, { shape }: Value, open: Open, to: readonly number[]): Open {
  const k = boundary(n, n.input(0), open);
  const inner = elementCount(to.slice(k + 1));
  const axes = (n.numbers(3) ?? n.ints("axes"))?.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const starts = n.numbers(1) ?? n.ints("starts") ?? [];
  const i = axes === undefined ? k : axes.indexOf(k);
  if (i < 0 || i >= starts.length) return { ...open, inner };
  if (starts[i] !== 0 || (n.numbers(4)?.[i] ?? 1) !== 1) n.refuse("the first of an open length", `from ${starts[i]}`);
  if (to[k] === shape[k]) return { ...open, inner };
  const limit = n.b.integers([to[k] as number], []);
  const [count] = n.add("minimum", [open.count, limit], {}, INT32);
  return { count: count as TensorId, inner };
}
