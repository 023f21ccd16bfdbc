/** Sizes of values whose length depends on data, and what is made by them: the greatest that they can be are known, and which is computed. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import { type Conversion, type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import type { Link, Open, Value } from "../layout.ts";
import { boundary } from "../open.ts";
import { cast, longs, reshapedTo } from "./move.ts";

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

const sizesOf = (value: Value | undefined): Sizes | undefined => (value?.link?.is === "sizes" ? value.link : undefined);

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
  const type = [{ dtype: "int64" }] as const;
  const [all] = parts.length === 1 ? parts : n.add("concat", parts, { axis: 0, activation: "none" }, type);
  setSizes(n, all as TensorId, { is: "sizes", sizes, at: k - start, open: x.open });
}

/** Some of the sizes. */
function gather(n: OnnxNode): void {
  const [link, places] = [sizesOf(n.input(0)), n.input(1)];
  if (link === undefined || !n.b.isConstant(n.plain(places))) return closed(n)(n);
  const at = (n.numbers(1) ?? []).map((i) => (i < 0 ? i + link.sizes.length : i));
  const sizes = at.map((i) => link.sizes[i] as number);
  const which = at.filter((i) => i === link.at).length;
  if (which === 0) return setKnown(n, sizes, places.shape);
  if (which > 1) return closed(n)(n);
  setSizes(n, made(n), { ...link, sizes, at: at.indexOf(link.at) });
}

/** The same numbers in another shape or type. */
function kept(n: OnnxNode): void {
  const link = sizesOf(n.input(0));
  if (link === undefined || n.input(0).open !== undefined) return closed(n)(n);
  setSizes(n, made(n), link);
}

/** Numbers behind each other, of which one is computed. */
function concat(n: OnnxNode): void {
  const values = n.inputs.map((_, i) => n.input(i));
  const parts = values.map((value) => {
    const { data } = n.b.tensor(n.plain(value));
    return sizesOf(value)?.sizes ?? (data && numbersOf(n.b.tensor(n.plain(value))));
  });
  const links = values.filter((value) => sizesOf(value) !== undefined);
  if (links.length !== 1 || parts.some((part) => part === undefined)) return closed(n)(n);
  const link = sizesOf(links[0]) as Sizes;
  const before = parts.slice(0, values.indexOf(links[0] as Value)).flat().length;
  setSizes(n, made(n), { ...link, sizes: parts.flat() as number[], at: before + link.at });
}

/** What is made as large as it can be, of which so much counts. */
function byLargest(i: number) {
  return (n: OnnxNode): void => {
    const link = sizesOf(n.inputs[i]);
    if (link === undefined) return i === 1 && sizesOf(n.inputs[0]) ? kept(n) : closed(n)(n);
    const { sizes, at, open } = link;
    const inner = elementCount(sizes.slice(at + 1).map(Math.abs));
    const y = made(n, (own) => closed(n)({ ...own, numbers: (j) => (j === i ? sizes : n.numbers(j)) }));
    const { shape: all } = n.b.tensor(y);
    // one size may be what is left
    const own = sizes.includes(-1) ? elementCount(all.slice(at + 1)) : inner;
    give(n, 0, y, { count: open.count, inner: own });
  };
}

export const SIZES: Conversions = {
  Shape: shape,
  Gather: gather,
  Cast: kept,
  Squeeze: kept,
  Unsqueeze: kept,
  Concat: concat,
  Reshape: byLargest(1),
  ConstantOfShape: byLargest(0),
};
