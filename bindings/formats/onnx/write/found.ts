/** Nodes → ONNX operators that find as many as there are: places that are not 0, the best boxes, what is there only once. */
import type { AnyNode, OpKind, TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Emitter } from "./emit.ts";
import { cast, finish, input, longs, output, reshaped, scalar, sliced, type Writer } from "./steps.ts";

/** The first rows, as many as `count` says, `[1]`. */
const first = (to: Emitter, x: string, count: string, axis = 0) =>
  to.step("Slice", [x, to.integers("start", [0]), count, to.integers("axis", [axis])]);

/** How many rows there are, `[1]`. */
const rows = (to: Emitter, x: string) => sliced(to, to.step("Shape", [x]), [0], [1]);

/** Numbers, and zeros behind them until there are so many. */
function filled(to: Emitter, x: string, length: number): string {
  const places = BigInt64Array.from({ length }, (_, i) => BigInt(i));
  const own = first(to, to.constant("rows", "int64", [length], places), rows(to, x));
  const zeros = to.constant("zeros", "int64", [length], new BigInt64Array(length));
  return to.step("ScatterElements", [zeros, own, x]);
}

/** A count as the tensor that holds it, without dimensions. */
const setCount = (to: Emitter, id: TensorId, count: string) => cast(id, to, reshaped(to, count, []));

/** The places of what is not 0, one a row, `[n, rank]`. */
const places = (to: Emitter, id: TensorId) =>
  to.step("Transpose", [to.step("NonZero", [to.name(id)])], { perm: [1, 0] });

/** Places, the best first, of boxes `[N, 4]`. */
function best(node: AnyNode, to: Emitter): string {
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
  const axis = Math.max(
    0,
    shape.findIndex((size) => size !== 1),
  );
  const inner = elementCount(shape.slice(axis + 1));
  const product = to.graph.nodes.find(({ outputs }) => outputs.includes(input(node, 1)));
  const whole =
    product?.kind === "mul" && product.inputs.some((id) => (to.numbers(id)?.[0] ?? 1) % inner === 0 && to.numbers(id));
  if (inner !== 1 && !whole) return false;
  const flat = reshaped(to, to.real(x), [-1]);
  const count = reshaped(to, longs(to, input(node, 1)), [1]);
  const sizes = shape.map((size, i) => (i === axis ? -1 : size));
  to.loose.add(y);
  return finish(node, to, reshaped(to, first(to, flat, count), sizes));
};

/** Writers by kind. */
export const FOUND: { readonly [K in OpKind]?: Writer<K> } = {
  nonMaxSuppressionV4: suppression,
  nonZero,
  prefix,
  where: (node, to) => {
    to.loose.add(output(node));
    return cast(output(node), to, places(to, input(node, 0)));
  },
};
