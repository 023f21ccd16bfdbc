/** Nodes → ONNX operators that find as many as there are: places that are not 0, the best boxes, what is there only once. */
import type { AnyNode, OpKind, TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import { listed, prefixRows } from "../../spelled.ts";
import type { Emitter } from "./emit.ts";
import { cast, finish, input, longs, output, real, reshaped, scalar, sliced, type Writer } from "./steps.ts";

/** The first rows, as many as `count` says, `[1]`. */
const first = (to: Emitter, x: string, count: string, axis = 0) =>
  to.step("Slice", [x, to.integers("start", [0]), count, to.integers("axis", [axis])]);

/** How many rows there are, `[1]`. */
export const rows = (to: Emitter, x: string) => sliced(to, to.step("Shape", [x]), [0], [1]);

/** The numbers from 0 on. */
export const upTo = (to: Emitter, length: number, shape: readonly number[] = [length]) =>
  to.constant(
    "rows",
    "int64",
    shape,
    BigInt64Array.from({ length: listed(to.where, length) }, (_, i) => BigInt(i)),
  );

/** Numbers, and zeros behind them until there are so many. */
export function filled(to: Emitter, x: string, length: number): string {
  const own = first(to, upTo(to, length), rows(to, x));
  const zeros = to.constant("zeros", "int64", [length], new BigInt64Array(length));
  return to.step("ScatterElements", [zeros, own, x]);
}

/** A count as the tensor that holds it, without dimensions. */
export const setCount = (to: Emitter, id: TensorId, count: string) => cast(id, to, reshaped(to, count, []));

/** The places of what is not 0, one a row, `[n, rank]`. */
const places = (to: Emitter, id: TensorId) =>
  to.step("Transpose", [to.step("NonZero", [to.name(id)])], { perm: [1, 0] });

/** Places, the best first, of boxes `[N, 4]`. */
export function best(node: AnyNode, to: Emitter): string {
  const [boxes, scores, limit, overlap, threshold] = [0, 1, 2, 3, 4].map((i) => input(node, i)) as [
    TensorId,
    TensorId,
    TensorId,
    TensorId,
    TensorId,
  ];
  const [count = 0] = to.tensor(scores).shape;
  const found = to.step("NonMaxSuppression", [
    reshaped(to, to.real(boxes), [1, count, 4]),
    reshaped(to, to.real(scores), [1, 1, count]),
    longs(to, limit),
    scalar(to, overlap),
    scalar(to, threshold),
  ]);
  return reshaped(to, sliced(to, found, [2], [3], [1]), [-1]);
}

const suppression: Writer<"nonMaxSuppressionV4"> = (node, to) => {
  const [limit] = to.numbers(node.inputs[2]) ?? [];
  const [y, count] = node.outputs as readonly [TensorId, TensorId];
  if (limit === undefined) return false;
  const found = best(node, to);
  return cast(y, to, filled(to, found, limit)) && setCount(to, count, rows(to, found));
};

const nonZero: Writer<"nonZero"> = (node, to) => {
  const [y, length] = node.outputs as readonly [TensorId, TensorId?];
  const x = input(node, 0);
  if (node.attributes.form === "columns") {
    to.loose.add(y);
    return cast(y, to, to.step("NonZero", [to.name(x)]));
  }
  const { shape } = to.tensor(x);
  const count = elementCount(shape);
  const flat = reshaped(to, to.name(x), [-1]);
  const found = reshaped(to, to.step("NonZero", [flat]), [-1]);
  const all = filled(to, found, count);
  const columns = shape.map((size, d) => {
    const own = to.step("Div", [all, to.integers("inner", [elementCount(shape.slice(d + 1))])]);
    return reshaped(to, to.step("Mod", [own, to.integers("size", [size])]), [count, 1]);
  });
  return (
    length !== undefined &&
    cast(y, to, to.step("Concat", columns, { axis: 1 })) &&
    setCount(to, length, rows(to, found))
  );
};

/** Elements of whole rows of the first dimension that is not 1: their number is a product by the size of one. */
const prefix: Writer<"prefix"> = (node, to) => {
  const [x, y] = [input(node, 0), output(node)];
  const { shape } = to.tensor(x);
  const found = prefixRows(to.graph, node);
  if (found === undefined) return false;
  const [axis] = found;
  const flat = reshaped(to, to.real(x), [-1]);
  const count = reshaped(to, longs(to, input(node, 1)), [1]);
  const sizes = shape.map((size, i) => (i === axis ? -1 : size));
  to.loose.add(y);
  return finish(node, to, reshaped(to, first(to, flat, count), sizes));
};

/** Values in the order in which they come first, and which of them each element is. */
const unique: Writer<"unique"> = (node, to) => {
  const [y, which] = node.outputs as readonly [TensorId, TensorId];
  const [values, places, inverse] = [to.fresh("values"), to.fresh("places"), to.fresh("inverse")];
  const { dtype } = to.tensor(input(node, 0));
  // runtimes have it of few types
  const isKnown = dtype === "int64" || dtype === "float32";
  to.add("Unique", [isKnown ? to.name(input(node, 0)) : longs(to, input(node, 0))], values, { sorted: 0 }, [
    places,
    inverse,
  ]);
  to.loose.add(y);
  return cast(y, to, values) && cast(which, to, inverse);
};

/** Rows by segment: added, multiplied, or the least or greatest, among as many as there are of `none`; ids outside go to a row behind the last. */
const unsorted =
  (reduction: string, none: Readonly<Record<string, number>>): Writer<OpKind> =>
  (given, to) => {
    const node = given as AnyNode;
    const [x, ids] = [input(node, 0), input(node, 1)];
    const [count] = to.numbers(node.inputs[2]) ?? [];
    const { dtype, shape } = to.tensor(x);
    const neutral = none[dtype];
    if (count === undefined || neutral === undefined) return false;
    const rest = shape.slice(to.tensor(ids).shape.length);
    const one = dtype === "int32" ? Int32Array.of(neutral) : Float32Array.of(neutral);
    const base = to.step("Expand", [to.constant("none", dtype, [1], one), to.integers("shape", [count + 1, ...rest])]);
    const last = to.integers("last", [count]);
    const id = longs(to, ids);
    const isBelow = to.step("Less", [id, to.integers("zero", [0])]);
    const within = to.step("Min", [to.step("Where", [isBelow, last, id]), last]);
    const at = reshaped(to, within, [...to.tensor(ids).shape, 1]);
    const all = to.step("ScatterND", [base, at, to.real(x)], { reduction });
    return finish(node, to, first(to, all, last));
  };

/** As many segments as the last id says, of as many as there are ids. */
const segmentSum: Writer<"segmentSum"> = (node, to) => {
  const [x, ids] = [input(node, 0), input(node, 1)];
  const { dtype, shape } = to.tensor(x);
  const id = longs(to, ids);
  const part = [[-1], [2 ** 31 - 1]].map((each) => to.integers("part", each));
  const count = to.step("Add", [to.step("Slice", [id, ...part]), to.integers("one", [1])]);
  const zero = to.constant("zero", dtype, [1], dtype === "int32" ? new Int32Array(1) : new Float32Array(1));
  const base = to.step("Expand", [zero, to.integers("shape", shape)]);
  const at = reshaped(to, id, [-1, 1]);
  to.loose.add(output(node));
  return finish(node, to, first(to, to.step("ScatterND", [base, at, to.real(x)], { reduction: "add" }), count));
};

/** The angle of (b, a): that of a / |b|, turned where b is below 0; 0 of no direction. */
const atan2: Writer<"atan2"> = (node, to) => {
  const [a, b] = [0, 1].map((i) => to.real(input(node, i))) as [string, string];
  const zero = real(to, 0, "zero");
  const is = (type: string, x: string) => to.step(type, [x, zero]);
  // −0 is told from 0 by what it divides
  const isBelow = to.step("Or", [is("Less", a), is("Less", to.step("Reciprocal", [a]))]);
  const half = to.step("Where", [isBelow, real(to, -Math.PI, "half"), real(to, Math.PI, "half")]);
  const angle = to.step("Atan", [to.step("Div", [a, to.step("Abs", [b])])]);
  const all = to.step("Where", [is("Less", b), to.step("Sub", [half, angle]), angle]);
  const nowhere = to.step("And", [is("Equal", a), is("Equal", b)]);
  return finish(node, to, to.step("Where", [nowhere, zero, all]));
};

/** The greatest finite number, and the least, of the types that segments are of. */
const [LEAST, MOST] = [
  { int32: -(2 ** 31), float32: -3.4028234663852886e38 },
  { int32: 2 ** 31 - 1, float32: 3.4028234663852886e38 },
];

/** Writers by kind. */
export const FOUND: { readonly [K in OpKind]?: Writer<K> } = {
  nonMaxSuppressionV4: suppression,
  nonZero,
  prefix,
  unique,
  where: (node, to) => {
    to.loose.add(output(node));
    return cast(output(node), to, places(to, input(node, 0)));
  },
  segmentSum,
  unsortedSegmentSum: unsorted("add", { int32: 0, float32: 0 }),
  unsortedSegmentProd: unsorted("mul", { int32: 1, float32: 1 }),
  unsortedSegmentMax: unsorted("max", LEAST as Record<string, number>),
  unsortedSegmentMin: unsorted("min", MOST as Record<string, number>),
  atan2,
};
