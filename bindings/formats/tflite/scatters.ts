/** STABLEHLO_SCATTER: updates at tuples of indices, between transposes. */
import { Pint8Error } from "../../errors.ts";
import type { AnyNode, Graph, Node, OpKind, TensorId } from "../../graph.ts";
import { elementCount, listText, type Tensor } from "../../tensor.ts";
import { realsOf } from "./reals.ts";
import { reducerOf } from "./windows.ts";

/** What an update does by the operator of the body. */
const MODES = { add: "add", mul: "mul", minimum: "min", maximum: "max", logicalAnd: "min", logicalOr: "max" } as const;

const activation = "none" as const;

/** Tuples of single elements are constants: more numbers than these are refused. */
const MOST_PLACES = 1 << 22;

/**
 * The nodes that such an operator is; what they need is appended to `tensors`. `body` is the subgraph that makes a value of an old
 * one and an update. Where windows are all of the dimensions that no index is for they are rows, else each element has its own
 * tuple of indices. Elements outside are left out one by one, as TFLite's kernel does.
 *
 * Errors: UNSUPPORTED for other bodies, several tensors, windows of open size.
 */
export function scattered(node: Node<"scatter">, body: Graph | undefined, tensors: Tensor[]): readonly AnyNode[] {
  const { where, inputs, outputs, attributes } = node;
  const { windows, inserted, indexed, vector } = attributes;
  const refuse = (expected: string, received: string) => new Pint8Error("UNSUPPORTED", { where, expected, received });
  const [x, indices, updates] = inputs.map((id) => tensors[id]);
  const [data, places, values] = inputs as unknown as readonly [TensorId, TensorId, TensorId];
  const [y] = outputs;
  if (x === undefined || indices === undefined || updates === undefined || y === undefined || inputs.length !== 3)
    throw refuse("3 inputs", `${inputs.length}`);
  const reducer = body && reducerOf(body);
  const isSet = body?.nodes.length === 0 && body.outputs[0]?.tensor === body.inputs[1]?.tensor;
  const mode = isSet ? "set" : reducer && MODES[reducer];
  if (mode === undefined) throw refuse("updates set or reduced", `${body?.nodes.map(({ kind }) => kind)}`);
  const dimensions = [...x.shape.keys()];
  const kept = dimensions.filter((d) => !inserted.includes(d));
  const given = [...updates.shape.keys()].filter((d) => !windows.includes(d));
  const sizes = windows.map((d) => updates.shape[d] ?? -1);
  if (kept.length !== windows.length || !indexed.every((d) => d >= 0 && d < dimensions.length))
    throw refuse("windows of the other dimensions", listText(windows));

  const m = realsOf(where, tensors);
  const ints = (list: readonly number[]) => m.constant("int32", [list.length], list);
  const append = (kind: OpKind, from: readonly TensorId[], like: Tensor, attributes: object = {}, to?: TensorId) => {
    const { data: _, variable: __, ...type } = like;
    return m.append(kind, from, attributes, type.dtype, to ?? ((tensors.push({ ...type, shape: [] }) - 1) as TensorId));
  };
  const turned = (id: TensorId, like: Tensor, order: readonly number[], to?: TensorId) =>
    to === undefined && order.every((d, i) => d === i) ? id : append("transpose", [id, ints(order)], like, {}, to);

  const outer = [...indices.shape.keys()].filter((d) => d !== vector);
  const isVector = outer.length < indices.shape.length;
  const tuples = isVector
    ? turned(places, indices, [...outer, vector])
    : append("expandDims", [places, ints([-1])], indices);
  const rows = turned(values, updates, [...given, ...windows]);
  if (
    `${[...inserted].sort()}` === `${[...indexed].sort()}` &&
    sizes.every((n, i) => n === x.shape[kept[i] as number])
  ) {
    const order = [...indexed, ...kept];
    const base = turned(data, x, order);
    const done = append("scatterUpdate", [base, tuples, rows], x, { mode }, base === data ? y : undefined);
    if (base !== data)
      turned(
        done,
        x,
        dimensions.map((d) => order.indexOf(d)),
        y,
      );
    return m.nodes;
  }
  const [count, windowed] = [elementCount(given.map((d) => updates.shape[d] as number)), elementCount(sizes)];
  if ([...updates.shape, ...sizes].some((n) => n < 0) || Math.max(count, windowed * dimensions.length) > MOST_PLACES)
    throw refuse(`at most ${MOST_PLACES} indices`, listText(updates.shape));
  // where windows start, 0 in dimensions without an index, and how far from there their elements are
  const shaped = (id: TensorId, like: Tensor, shape: readonly number[]) =>
    append("reshape", [id, ints(shape)], like, { shape });
  const constant = (shape: readonly number[], list: readonly number[]) => {
    const { dtype } = indices;
    const array = dtype === "int64" ? BigInt64Array.from(list, BigInt) : Int32Array.from(list);
    return (tensors.push({ name: "", dtype, shape, data: new Uint8Array(array.buffer) }) - 1) as TensorId;
  };
  const none = constant([count, 1, 1], new Array(count).fill(0));
  const starts = append(
    "gather",
    [
      append("concat", [shaped(tuples, indices, [count, 1, indexed.length]), none], indices, { axis: 2, activation }),
      ints(dimensions.map((d) => (indexed.includes(d) ? indexed.indexOf(d) : indexed.length))),
    ],
    indices,
    { axis: 2, batchDims: 0 },
  );
  const strides = sizes.map((_, k) => elementCount(sizes.slice(k + 1)));
  const away = Array.from({ length: windowed }, (_, i) =>
    dimensions.map((d) => {
      const k = kept.indexOf(d);
      return k < 0 ? 0 : Math.floor(i / (strides[k] as number)) % (sizes[k] as number);
    }),
  );
  const all = append("add", [starts, constant([1, windowed, dimensions.length], away.flat())], indices, { activation });
  append("scatterUpdate", [data, all, shaped(rows, updates, [count, windowed])], x, { mode }, y);
  return m.nodes;
}
