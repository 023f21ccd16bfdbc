/** Sizes of values whose length depends on data, and what is made by them: the greatest that they can be are known, and which is computed. */
import type { TensorId } from "../../../graph.ts";
import { elementCount, type Tensor } from "../../../tensor.ts";
import { asValue, type Conversion, type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import type { Link, Open, Value } from "../layout.ts";
import { boundary } from "../open.ts";
import { INT64 } from "../types.ts";
import { castAs } from "./cast.ts";
import { cast, entries, longs, reshapedTo } from "./move.ts";

type Sizes = Extract<Link, { is: "sizes" }>;

/** As the operator is converted where its inputs are of known lengths. */
export const closed = (n: OnnxNode): Conversion => n.scope.shared.conversionOf(n.operator) as Conversion;

/** Sets an output of which so much counts. */
export function give(n: OnnxNode, i: number, plain: TensorId, open: Open): void {
  n.set(i, { shape: n.b.tensor(plain).shape, twins: { plain }, open });
}

/** Output 0 of the conversion, in ONNX's order. */
function made(n: OnnxNode, run: Conversion = closed(n)): TensorId {
  let id: TensorId | undefined;
  const set = (value: Pick<Value, "shape" | "twins">) => {
    id = n.plain(value as Value);
  };
  run({
    ...n,
    set: (_, value) => set(value),
    setPlain: (_, plain) => set({ shape: n.b.tensor(plain).shape, twins: { plain } }),
    setLast: (_, last, shape) => set({ shape, twins: shape.length < 3 ? { plain: last } : { last } }),
  });
  return id as TensorId;
}

/** Sizes, or rests of such. */
export const numbersIn = (value: Value | undefined): Sizes | undefined =>
  value?.link?.is === "sizes" ? value.link : undefined;

function sizesOf(value: Value | undefined): Sizes | undefined {
  const link = numbersIn(value);
  return link?.isRest ? undefined : link;
}

/** Sets output 0 to numbers of which all but one are known. */
function setSizes(n: OnnxNode, plain: TensorId, link: Sizes): void {
  n.set(0, { shape: n.b.tensor(plain).shape, twins: { plain }, link, isWhole: true });
}

/** Sets output 0 to numbers that are known. */
function setKnown(n: OnnxNode, values: readonly number[], shape: readonly number[] = [values.length]): void {
  n.set(0, { shape, twins: { plain: longs(n, values, shape) }, isWhole: true });
}

function shape(n: OnnxNode): void {
  const x = n.input(0);
  if (x.open === undefined) return closed(n)(n);
  const k = boundary(n, x, x.open);
  const inside = (value: number) => Math.min(Math.max(value < 0 ? value + x.shape.length : value, 0), x.shape.length);
  const [start, end] = [inside(n.int("start", 0)), inside(n.attribute("end")?.int ?? x.shape.length)];
  const sizes = x.shape.slice(start, end);
  if (k < start || k >= end) return setKnown(n, sizes);
  const count = reshapedTo(n, cast(n, x.open.count, "int64"), [1]);
  const sides = [x.shape.slice(start, k), x.shape.slice(k + 1, end)];
  const [before, after] = sides.map((side) => (side.length === 0 ? [] : [longs(n, side)]));
  const parts = [...(before ?? []), count, ...(after ?? [])];
  const [all] = parts.length === 1 ? parts : n.add("concat", parts, { axis: 0, activation: "none" }, INT64);
  setSizes(n, all as TensorId, { is: "sizes", sizes, at: k - start, open: x.open });
}

/** Operators that may take sizes elsewhere than as their first input. */
const AMONG = new Set(["Add", "Concat", "Equal", "Mul", "Sub", "Where"]);

/**
 * What an operator makes of sizes and constants, each result of one of them or of a sum: two numbers in place of the computed
 * one tell which of the results it is.
 */
function linear(n: OnnxNode): void {
  const links = n.inputs.map(numbersIn);
  const [link, ...others] = links.filter((each) => each !== undefined);
  const isKnown = n.inputs.every(
    (value, i) => value === undefined || links[i] || (!value.open && n.b.settled(n.plain(value)).data),
  );
  const isOne = others.every(({ open }) => open.count === link?.open.count) && (links[0] || AMONG.has(n.operator));
  if (link === undefined || !isKnown || !isOne) return closed(n)(n);
  const [y, ids] = [n.b.tensor(made(n)), [0, 1].map((more) => n.b.settled(made(replaced(n, links, more))))];
  const [a, b] = ids.map((id) => id.data && numbersOf(id));
  const changed = a?.flatMap((size, i) => (size === b?.[i] ? [] : [i])) ?? [0, 0];
  const [at = -1] = changed;
  if (a === undefined || changed.length > 1 || (y.dtype === "bool" && n.operator !== "Equal")) return closed(n)(n);
  if (at < 0) n.set(0, { shape: y.shape, twins: { plain: n.b.declare(ids[0] as Tensor) }, isWhole: true });
  else {
    const step = (b?.[at] as number) - (a[at] as number);
    const isSize = step === 1 && !link.isRest && a[at] === link.sizes[link.at];
    if (isSize) setSizes(n, made(n), { ...link, sizes: a, at });
    else if (step === -1) setSizes(n, made(n), { ...link, sizes: a, at, isRest: true });
    else closed(n)(n);
  }
}

/** The node with constants in place of sizes, the computed one greater by so many than it can be. */
function replaced(n: OnnxNode, links: readonly (Sizes | undefined)[], more: number): OnnxNode {
  const inputs = n.inputs.map((value, i) => {
    const { sizes = [], at = 0, isRest } = links[i] ?? {};
    if (links[i] === undefined || value === undefined) return value;
    const own = longs(
      n,
      sizes.map((size, d) => size + (d === at ? (isRest ? -more : more) : 0)),
      value.shape,
    );
    return asValue(n.b, "", castAs(n, own, value.dtype));
  });
  const numbers = (i: number) => inputs[i] && numbersOf(n.b.settled(n.plain(inputs[i])));
  const number = (i: number, otherwise: number) => numbers(i)?.[0] ?? otherwise;
  return { ...n, inputs, numbers, number, input: (i) => inputs[i] ?? n.input(i) };
}

/** What is computed is no size below 0. */
function equal(n: OnnxNode): void {
  const other = n.input(sizesOf(n.input(0)) ? 1 : 0);
  const tensor = n.b.settled(n.plain(other));
  (tensor.data && numbersOf(tensor).every((value) => value < 0) ? linear : closed(n))(n);
}

/** All that counts of a value, up to its own size, or a range of sizes. */
function slice(n: OnnxNode): void {
  const [x, end] = [n.input(0), sizesOf(n.inputs[2])];
  const { open } = x;
  if (open === undefined || end?.sizes.length !== 1 || end.open.count !== open.count) return linear(n);
  const axis = n.number(3, 0);
  const isAll = n.number(1, 1) === 0 && n.number(4, 1) === 1;
  if (!isAll || boundary(n, x, open) !== (axis < 0 ? axis + x.shape.length : axis)) return closed(n)(n);
  give(n, 0, n.plain(x), open);
}

/** 0, 1, … as many as there are. */
function range(n: OnnxNode): void {
  const link = sizesOf(n.input(1));
  if (link?.sizes.length !== 1 || n.number(0, 1) !== 0 || n.number(2, 0) !== 1) return closed(n)(n);
  const [size] = link.sizes as [number];
  const plain = castAs(n, n.b.integers([...Array(entries(n, size)).keys()]), n.input(1).dtype);
  give(n, 0, plain, { count: link.open.count, inner: 1 });
}

/** What is made as large as it can be, of which so much counts. */
function byLargest(i: number) {
  return (n: OnnxNode): void => {
    const link = sizesOf(n.inputs[i]);
    if (link === undefined) return i === 1 && numbersIn(n.inputs[0]) ? linear(n) : closed(n)(n);
    const { sizes, at, open } = link;
    const inner = elementCount(sizes.slice(at + 1).map(Math.abs));
    const y = made(n, (own) => closed(n)({ ...own, numbers: (j) => (j === i ? sizes : n.numbers(j)) }));
    const { shape: all } = n.b.tensor(y);
    // one size may be what is left
    const own = sizes.includes(-1) ? elementCount(all.slice(at + 1)) : inner;
    give(n, 0, y, { count: open.count, inner: own });
  };
}

/** A value as long as what is open. */
function expand(n: OnnxNode): void {
  const [x, link] = [n.input(0), sizesOf(n.input(1))];
  if (link === undefined || (x.open && x.open.count !== link.open.count)) return closed(n)(n);
  byLargest(1)(n);
}

export const SIZES: Conversions = {
  ...Object.fromEntries(
    "Add Cast Concat Gather Mul Squeeze Sub Transpose Unsqueeze Where".split(" ").map((name) => [name, linear]),
  ),
  Equal: equal,
  Expand: expand,
  Range: range,
  Shape: shape,
  Slice: slice,
  Reshape: byLargest(1),
  ConstantOfShape: byLargest(0),
};
