/**
 * Tensors whose leading size only a run can tell: they have room for a bound of rows. Operators that work row by row pass
 * them on and compute rows that nobody looks at; sizes of them, and slices of computed sizes, become arithmetic on counts.
 */
import { ensure } from "../../errors.ts";
import { type AnyNode, NONE, type OpKind, type TensorId } from "../../graph.ts";
import { elementCount, sizeOf, type Tensor } from "../../tensor.ts";
import type { NodeView, Rows } from "../types.ts";
import { bytesOfNumbers } from "../values.ts";
import { GUARDS, guardedNumber, under, withLimits } from "./bounded.ts";
import { withoutComputedSizes } from "./computed.ts";
import { countsOf } from "./counts.ts";
import { type Element, elementsOf } from "./origins.ts";
import { CLOSING, isOpen, LEAST, MOST, numbers, passes, passesLength, REDUCING } from "./rowwise.ts";

type View = NodeView<OpKind>;

/**
 * How the node passes open rows on; undefined where none of its inputs has such.
 *
 * Errors: UNSUPPORTED where it looks at more than one row, or an input is open in another way.
 */
export const openRows = (node: AnyNode, view: View, tensors: Tensor[]): Rows | undefined =>
  withLimits(node, tensors, rowsThrough(node, view, tensors));

function rowsThrough(node: AnyNode, view: View, tensors: Tensor[]): Rows | undefined {
  if (CLOSING.has(node)) return undefined;
  const open = node.inputs.filter((id) => id !== NONE && (tensors[id] as Tensor).open !== undefined);
  const [first] = open;
  if (first === undefined) return undefined;
  const { name, open: what, shape } = tensors[first] as Tensor;
  if (passesLength(node, view)) return { before: [], mark: () => markLength(node, first, tensors) };
  const counts = countsOf(node.where, tensors);
  const same = () => new Set(open.map((id) => counts.rowsOf(id))).size === 1;
  const fits = open.every((id) => isOpen(tensors[id] as Tensor)) && passes(node, view, node.inputs.indexOf(first));
  ensure(fits && same(), "UNSUPPORTED", () => ({
    where: node.where,
    expected: "tensors whose shapes are known when planned",
    received: `"${name}", whose ${what === "shape" ? "shape" : "length"} only a run can tell`,
  }));
  const before = counts.taken();
  return {
    before,
    mark() {
      for (const id of node.outputs) {
        const y = tensors[id] as Tensor;
        if (node.kind === "rank") continue;
        const isMoved = node.kind === "reshape" && y.shape[0] !== shape[0];
        ensure(isMoved || y.shape[0] === shape[0], "UNSUPPORTED", () => ({
          where: node.where,
          expected: `${shape[0]} rows as the open "${name}" has`,
          received: `[${y.shape}]`,
        }));
        const { length } = tensors[first] as Tensor;
        const inner = elementCount(y.shape.slice(1));
        const own: Partial<Tensor> = isMoved
          ? { length: length as number }
          : { rows: counts.rowsOf(first), length: counts.times(counts.rowsOf(first), inner) };
        tensors[id] = { ...y, open: "rows", ...own };
      }
      return counts.taken();
    },
  };
}

/** Outputs as long as the open tensor. */
function markLength({ outputs }: AnyNode, open: TensorId, tensors: Tensor[]): readonly AnyNode[] {
  const { length } = tensors[open] as Tensor;
  for (const id of outputs)
    tensors[id] = { ...(tensors[id] as Tensor), open: "length", ...(length !== undefined && { length }) };
  return [];
}

/** The nodes in place of one that asks for an open size, or takes a part of computed size; undefined where it stays. */
export function withoutOpenSizes(
  node: AnyNode,
  tensors: Tensor[],
  writers: ReadonlyMap<TensorId, AnyNode>,
): readonly AnyNode[] | undefined {
  const guard = GUARDS.get(node);
  const own = guard === undefined ? undefined : guardedNumber(node, guard, tensors);
  return under(guard, own ?? partsOf(node, tensors, writers));
}

function partsOf(node: AnyNode, tensors: Tensor[], writers: ReadonlyMap<TensorId, AnyNode>) {
  const [x] = node.inputs.map((id) => tensors[id]);
  if (x === undefined || CLOSING.has(node)) return undefined;
  if (node.kind === "shape" && isOpen(x)) return sizesOf(node, x, tensors);
  if (isOpen(x) && REDUCING.has(node.kind)) return reduced(node, x, tensors);
  const first = firstRows(node, x, tensors, writers);
  return first ?? withoutComputedSizes(node, tensors, writers);
}

/** Slices whose first dimension alone has a computed size. */
function firstRows(node: AnyNode, x: Tensor, tensors: Tensor[], writers: ReadonlyMap<TensorId, AnyNode>) {
  if (x.shape.length === 0 || x.open !== undefined) return undefined;
  if (node.kind !== "slice" && node.kind !== "stridedSlice") return undefined;
  const lists = node.inputs.slice(1).map((id) => elementsOf(id, tensors, writers).map(knownOf));
  return node.kind === "slice" ? sliceOf(node, x, lists, tensors) : stridedSliceOf(node, x, lists, tensors);
}

const knownOf = (element: Element) => (typeof element === "number" ? element : undefined);

/** What rows that are not there hold, so that a reduction does not see them, by the element's type. */
const NEUTRAL: { readonly [K in OpKind]?: (x: Tensor) => number | undefined } = {
  sum: ({ quantization }) => quantization?.zeroPoint[0] ?? 0,
  mean: ({ dtype }) => (dtype === "float32" ? 0 : undefined),
  reduceProd: ({ dtype }) => (dtype === "float32" ? 1 : undefined),
  reduceMax: ({ dtype }) => LEAST[dtype],
  argMax: ({ dtype }) => LEAST[dtype],
  reduceMin: ({ dtype }) => MOST[dtype],
  argMin: ({ dtype }) => MOST[dtype],
  reduceAny: () => 0,
  reduceAll: () => 1,
};

/** A reduction of the rows, over those that are there; undefined where it is one of each row. */
function reduced(node: AnyNode, x: Tensor, tensors: Tensor[]): readonly AnyNode[] | undefined {
  const rank = x.shape.length;
  const axes = numbers(tensors[node.inputs[1] as TensorId])?.map((axis) => (axis < 0 ? axis + rank : axis));
  const neutral = NEUTRAL[node.kind]?.(x);
  if (axes?.includes(0) !== true || neutral === undefined) return undefined;
  const counts = countsOf(node.where, tensors);
  const [source, axis] = node.inputs as readonly [TensorId, TensorId];
  const room = sizeOf(x, 0);
  const column = [room, ...x.shape.slice(1).fill(1)];
  const places = counts.append("reshape", [counts.places(room), counts.ints([rank], column)], { shape: column });
  const rows = counts.rowsOf(source);
  const isThere = counts.append("less", [places, rows], {}, "bool");
  const fill = (tensors.push({
    ...{ name: "", dtype: x.dtype, shape: [], data: bytesOfNumbers(x.dtype, [neutral]) },
    ...(x.quantization && { quantization: x.quantization }),
  }) - 1) as TensorId;
  const whole = counts.append("selectV2", [isThere, source, fill], {}, x);
  const before = counts.taken();
  CLOSING.add(before.at(-1) as AnyNode);
  if (node.kind !== "mean") return [...before, { ...node, inputs: [whole, axis] }];
  const sum = counts.append("sum", [whole, axis], node.attributes, "float32");
  const others = elementCount(axes.filter((each) => each !== 0).map((each) => x.shape[each] as number));
  const count = counts.append("cast", [counts.times(rows, others)], {}, "float32");
  counts.append("div", [sum, count], { activation: "none" }, "float32", node.outputs[0]);
  return [...before, ...counts.taken()];
}

/** The rows, then what is known. */
function sizesOf(node: AnyNode & { readonly kind: "shape" }, x: Tensor, tensors: Tensor[]): readonly AnyNode[] {
  const counts = countsOf(node.where, tensors);
  const rows = counts.append("reshape", [counts.rowsOf(node.inputs[0] as TensorId), counts.ints([1], [1])], {
    shape: [1],
  });
  const sizes = counts.append("concat", [rows, counts.ints([x.shape.length - 1], x.shape.slice(1))], {
    axis: 0,
    activation: "none",
  });
  counts.append("cast", [sizes], {}, node.attributes.dtype, node.outputs[0]);
  return counts.taken();
}

type Elements = readonly (number | undefined)[];
const isKnown = (list: Elements): list is readonly number[] => list.every((each) => each !== undefined);

/** Rows from a begin on, as many as are computed; other dimensions are constant. */
function sliceOf(
  node: AnyNode,
  x: Tensor,
  lists: readonly Elements[],
  tensors: Tensor[],
): readonly AnyNode[] | undefined {
  const [begins = [], sizes = []] = lists;
  const rank = x.shape.length;
  const rest = [begins.slice(1), sizes.slice(1)];
  if (sizes[0] !== undefined || begins.length !== rank || sizes.length !== rank || !rest.every(isKnown))
    return undefined;
  const counts = countsOf(node.where, tensors);
  const [source, begin, size] = node.inputs as readonly [TensorId, TensorId, TensorId];
  const all = counts.int(x.shape[0] as number);
  const part =
    rank === 1
      ? source
      : counts.append(
          "slice",
          [
            source,
            counts.ints([rank], [0, ...(rest[0] as number[])]),
            counts.ints([rank], [-1, ...(rest[1] as number[])]),
          ],
          {},
          x,
        );
  const first = counts.element(begin, 0);
  const left = counts.two("sub", all, first);
  const asked = counts.element(size, 0);
  const isRest = counts.append("less", [asked, counts.int(0)], {}, "bool");
  const some = counts.append("selectV2", [isRest, left, counts.two("minimum", asked, left)]);
  const rows = counts.two("maximum", some, counts.int(0));
  const known = begins[0] === 0;
  counts.prefix(known ? part : counts.shifted(part, first, x.shape[0] as number, x), rows, node.outputs[0] as TensorId);
  return counts.taken();
}

/** The same by begin and end, which count from the end below 0 and are held inside. */
function stridedSliceOf(
  node: AnyNode & { readonly kind: "stridedSlice" },
  x: Tensor,
  lists: readonly Elements[],
  tensors: Tensor[],
): readonly AnyNode[] | undefined {
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask, offset = false } = node.attributes;
  const [begins = [], ends = [], strides = []] = lists;
  const masked = (mask: number, list: Elements) => list.map((each, d) => ((mask >> d) & 1 ? 0 : each));
  const [from, to] = [masked(beginMask, begins), masked(endMask | shrinkAxisMask, ends)];
  const isPlain = ellipsisMask === 0 && newAxisMask === 0 && !offset && (shrinkAxisMask & 1) === 0;
  const isOpenFirst = from.length > 0 && (from[0] === undefined || to[0] === undefined) && strides[0] === 1;
  const rest = [from.slice(1), to.slice(1)];
  if (!isPlain || !isOpenFirst || from.length > x.shape.length || !rest.every(isKnown)) return undefined;
  const counts = countsOf(node.where, tensors);
  const [source, begin, end, steps] = node.inputs as readonly [TensorId, TensorId, TensorId, TensorId];
  const [begun, ended] = rest.map((list) => counts.ints([from.length], [0, ...(list as number[])]));
  const attributes = { ...node.attributes, beginMask: beginMask | 1, endMask: endMask | 1 };
  const inputs = [source, begun as TensorId, ended as TensorId, steps];
  const part = from.length === 1 ? source : counts.append("stridedSlice", inputs, attributes, x);
  const all = x.shape[0] as number;
  const first = (beginMask & 1) === 1 ? counts.int(0) : counts.held(counts.element(begin, 0), all);
  const last = (endMask & 1) === 1 ? counts.int(all) : counts.held(counts.element(end, 0), all);
  const rows = counts.two("maximum", counts.two("sub", last, first), counts.int(0));
  counts.prefix(from[0] === 0 ? part : counts.shifted(part, first, all, x), rows, node.outputs[0] as TensorId);
  return counts.taken();
}
