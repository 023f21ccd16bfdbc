/** Operators that a format lacks, as others that it has: what writers do before they refuse. */
import { Pint8Error } from "../errors.ts";
import type { AnyNode, Attributes, Graph, Node, OpKind, TensorId } from "../graph.ts";
import { elementCount, type Tensor } from "../tensor.ts";

type Result = Pick<Tensor, "dtype" | "shape">;

/** The nodes of one spelling, and the tensors that they add. */
class Draft {
  readonly nodes: AnyNode[] = [];

  constructor(
    readonly tensors: Tensor[],
    readonly node: Node,
    /** All of the graph. */
    readonly given: readonly AnyNode[],
  ) {}

  tensor = (id: TensorId | undefined): Tensor => this.tensors[id as TensorId] as Tensor;

  constant(values: Float32Array | Int32Array, shape: readonly number[] = [values.length]): TensorId {
    return constant(this.tensors, `${this.#name}/constant`, shape, values);
  }

  append = (tensor: Tensor): TensorId => (this.tensors.push(tensor) - 1) as TensorId;

  /** One operator; the result is a tensor of the graph, or a new one. */
  step<K extends OpKind>(
    kind: K,
    inputs: readonly TensorId[],
    attributes: Attributes[K],
    result: Result | TensorId,
  ): TensorId {
    const output = typeof result === "number" ? result : this.append({ ...result, name: `${this.#name}/${kind}` });
    this.nodes.push({ kind, where: this.node.where, inputs, outputs: [output], attributes } as unknown as AnyNode);
    return output;
  }

  get #name(): string {
    return this.tensor(this.node.outputs[0]).name;
  }
}

/** Numbers as a tensor behind the others. */
export function constant(
  tensors: Tensor[],
  name: string,
  shape: readonly number[],
  data: Int32Array | Float32Array,
): TensorId {
  const dtype = data instanceof Int32Array ? "int32" : "float32";
  return (tensors.push({ name, dtype, shape, data: new Uint8Array(data.buffer) }) - 1) as TensorId;
}

type Spelling<K extends OpKind> = (node: Node<K>, to: Draft) => void;

const PLAIN = { activation: "none" } as const;

/** (x − mean) · 1/√(variance + epsilon) · scale + bias. */
const layerNorm: Spelling<"layerNorm"> = ({ attributes: { dimensions, epsilon }, inputs, outputs }, to) => {
  const [x, ...given] = inputs as readonly [TensorId, ...TensorId[]];
  const { shape } = to.tensor(x);
  const first = shape.length - dimensions;
  const axes = to.constant(Int32Array.from({ length: dimensions }, (_, i) => first + i));
  const all = { dtype: "float32", shape } as const;
  const row = { dtype: "float32", shape: shape.map((size, i) => (i < first ? size : 1)) } as const;
  const mean = to.step("mean", [x, axes], { keepDims: true }, row);
  const variance = to.step("mean", [to.step("squaredDifference", [x, mean], {}, all), axes], { keepDims: true }, row);
  const sum = to.step("add", [variance, to.constant(Float32Array.of(epsilon), [])], PLAIN, row);
  const factors = [
    { kind: "mul", by: to.step("rsqrt", [sum], {}, row) },
    ...given.flatMap((id, i) =>
      id < 0 ? [] : [{ kind: i === 0 ? "mul" : "add", by: shaped(id, shape.slice(first), to) }],
    ),
  ] as const;
  let y = to.step("sub", [x, mean], PLAIN, all);
  for (const [i, { kind, by }] of factors.entries())
    y = to.step(kind as "mul", [y, by], PLAIN, i < factors.length - 1 ? all : (outputs[0] as TensorId));
};

/** The tensor with that shape. */
function shaped(id: TensorId, shape: readonly number[], to: Draft): TensorId {
  if (String(to.tensor(id).shape) === String(shape)) return id;
  return to.step("reshape", [id, to.constant(Int32Array.from(shape))], {}, { dtype: "float32", shape });
}

/** Of t = 1 / (1 + P·|x|), from t⁵ down: within 1.5e-7. Source: Abramowitz and Stegun, 7.1.26. */
const SERIES = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
const P = 0.3275911;

/** sign(x) · (1 − (…)·exp(−x²)). */
const erf: Spelling<"erf"> = ({ inputs, outputs }, to) => {
  const [x] = inputs as readonly [TensorId];
  const all = { dtype: "float32", shape: to.tensor(x).shape } as const;
  const number = (value: number) => to.constant(Float32Array.of(value), []);
  const pair = (kind: "add" | "sub" | "mul" | "div", a: TensorId, b: TensorId, result: Result | TensorId = all) =>
    to.step(kind as "add", [a, b], PLAIN, result);
  const reach = pair("mul", to.step("abs", [x], {}, all), number(P));
  const t = pair("div", number(1), pair("add", reach, number(1)));
  const [first, ...rest] = SERIES.map(number) as [TensorId, ...TensorId[]];
  const series = rest.reduce((sum, each) => pair("add", pair("mul", sum, t), each), first);
  const bell = to.step("exp", [to.step("neg", [pair("mul", x, x)], {}, all)], {}, all);
  const tail = pair("mul", pair("mul", series, t), bell);
  pair("mul", to.step("sign", [x], {}, all), pair("sub", number(1), tail), outputs[0] as TensorId);
};

/** The entries of a table, by where they stand from the least. */
const lookup: Spelling<"lookup"> = ({ attributes: { table }, inputs, outputs }, to) => {
  const [x, y] = [...inputs, ...outputs] as unknown as readonly [TensorId, TensorId];
  const [from, { name, ...type }] = [to.tensor(x), to.tensor(y)];
  const whole = { dtype: "int32", shape: from.shape } as const;
  const value = to.step("cast", [x], {}, whole);
  const place =
    from.dtype === "int8" ? to.step("add", [value, to.constant(Int32Array.of(128), [])], PLAIN, whole) : value;
  const data = table.map((entry) => (type.dtype === "int8" ? entry ^ 0x80 : entry));
  const entries = to.append({ ...type, name: `${name}/table`, shape: [table.length], data });
  to.step("gather", [entries, place], { axis: 0, batchDims: 0 }, y);
};

/** Updates among zeros, added to data, or put where there is one; of places that are named twice their sum. Others stay. */
const scatterUpdate: Spelling<"scatterUpdate"> = (node, to) => {
  const [data, indices, updates] = node.inputs as readonly [TensorId, TensorId, TensorId];
  const { mode } = node.attributes;
  const { dtype, shape } = to.tensor(data);
  if ((mode !== "set" && mode !== "add") || !["float32", "int32", "int64"].includes(dtype)) {
    to.nodes.push(node);
    return;
  }
  const { shape: placed } = to.tensor(indices);
  const places = to.step("cast", [indices], {}, { dtype: "int32", shape: placed });
  const sizes = to.constant(Int32Array.from(shape));
  const among = (values: TensorId, type: Tensor["dtype"]) =>
    to.step("scatterNd", [places, values, sizes], {}, { dtype: type, shape });
  const sum = among(updates, dtype);
  const [y] = node.outputs as readonly [TensorId];
  if (mode === "add") {
    to.step("add", [data, sum], PLAIN, y);
    return;
  }
  const own = to.tensor(updates).shape;
  const ones = to.constant(new Int32Array(elementCount(own)).fill(1), own);
  const there = to.step(
    "greater",
    [among(ones, "int32"), to.constant(Int32Array.of(0), [])],
    {},
    { dtype: "bool", shape },
  );
  to.step("selectV2", [there, sum, data], {}, y);
};

/** The places of all elements, each put where as many as were found before it end; behind all the others go, and are cut off. */
const nonZero: Spelling<"nonZero"> = (node, to) => {
  const [x, y, count] = [...node.inputs, ...node.outputs] as readonly TensorId[] as readonly [
    TensorId,
    TensorId,
    TensorId,
  ];
  const { shape, dtype } = to.tensor(x);
  const length = elementCount(shape);
  if (node.attributes.form === "columns" || dtype !== "bool") {
    to.nodes.push(node);
    return;
  }
  const flat = { dtype: "int32", shape: [length] } as const;
  const whole = (...values: number[]) => to.constant(Int32Array.from(values));
  const is = to.step("reshape", [x, whole(length)], {}, { dtype, shape: [length] });
  const ones = to.step("cast", [is], {}, flat);
  const before = to.step(
    "cumsum",
    [ones, to.constant(new Int32Array(1), [])],
    { exclusive: true, reverse: false },
    flat,
  );
  const rows = to.step("selectV2", [is, before, whole(length)], {}, flat);
  const places = to.step("reshape", [rows, whole(length, 1)], {}, { dtype: "int32", shape: [length, 1] });
  const data = BigInt64Array.from({ length: listed(node.where, length * shape.length) }, (_, i) => {
    const [at, d] = [Math.floor(i / shape.length), i % shape.length];
    return BigInt(Math.floor(at / elementCount(shape.slice(d + 1))) % (shape[d] as number));
  });
  const all = { dtype: "int64", shape: [length, shape.length] } as const;
  const own = to.append({ ...all, name: "places", data: new Uint8Array(data.buffer) });
  const sizes = whole(length + 1, shape.length);
  const put = to.step("scatterNd", [places, own, sizes], {}, { ...all, shape: [length + 1, shape.length] });
  to.step("slice", [put, whole(0, 0), whole(length, shape.length)], {}, y);
  to.step("sum", [ones, whole(0)], { keepDims: false }, count);
};

/** The dimension whose rows a prefix counts, and the elements of one; undefined where it need not be whole ones: no product by their size. */
export function prefixRows(
  { nodes, tensors }: Pick<Graph, "nodes" | "tensors">,
  { inputs: [x, count] }: AnyNode,
): readonly [axis: number, inner: number] | undefined {
  const { shape } = tensors[x as TensorId] as Tensor;
  const axis = Math.max(
    0,
    shape.findIndex((size) => size !== 1),
  );
  const inner = elementCount(shape.slice(axis + 1));
  const product = nodes.find(({ outputs }) => outputs.includes(count as TensorId));
  const isWhole = (id: TensorId) => {
    const { data, dtype } = tensors[id] as Tensor;
    return (
      data !== undefined && dtype === "int32" && (new Int32Array(new Uint8Array(data).buffer)[0] ?? 1) % inner === 0
    );
  };
  return inner === 1 || (product?.kind === "mul" && product.inputs.some(isWhole)) ? [axis, inner] : undefined;
}

/** A slice of so many rows as there are: of elements, divided by those of a row. */
const prefix: Spelling<"prefix"> = (node, to) => {
  const {
    inputs: [x, count],
    outputs: [y],
  } = node;
  const { shape } = to.tensor(x);
  const found = prefixRows({ nodes: to.given, tensors: to.tensors }, node);
  if (found === undefined) {
    to.nodes.push(node);
    return;
  }
  const [axis, inner] = found;
  const one = { dtype: "int32", shape: [1] } as const;
  const number = to.step("reshape", [count as TensorId, to.constant(Int32Array.of(1))], {}, one);
  const rows = inner === 1 ? number : to.step("div", [number, to.constant(Int32Array.of(inner))], PLAIN, one);
  const fixed = (from: number, end?: number) => {
    const sizes = shape.slice(from, end);
    return sizes.length === 0 ? [] : [to.constant(Int32Array.from(sizes))];
  };
  const parts = [...fixed(0, axis), rows, ...fixed(axis + 1)];
  const sizes = to.step("concat", parts, { axis: 0, ...PLAIN }, { dtype: "int32", shape: [shape.length] });
  to.step("slice", [x as TensorId, to.constant(new Int32Array(shape.length)), sizes], {}, y as TensorId);
};

/** Most numbers that a file lists because an operator has no word for them. */
const MOST_LISTED = 2 ** 22;

/** A count of numbers that are listed in a file: shapes and attributes of graphs are only claims. Errors: UNSUPPORTED for too many. */
export function listed(where: string, count: number): number {
  if (count <= MOST_LISTED) return count;
  throw new Pint8Error("UNSUPPORTED", { where, expected: `at most ${MOST_LISTED} places`, received: `${count}` });
}

/** Does work on a node of a graph that nothing may have verified. Errors: INVALID_GRAPH where it lacks inputs or outputs. */
export function whole<T>(node: AnyNode, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof Pint8Error) throw cause;
    const expected = "the inputs and outputs that its operator has";
    throw new Pint8Error("INVALID_GRAPH", { where: node.where, expected, received: "others" }, { cause });
  }
}

const SPELLINGS: { readonly [K in OpKind]?: Spelling<K> } = { layerNorm, erf, lookup, scatterUpdate, nonZero, prefix };

/** The graph without these kinds of operators. */
export function spelled(graph: Graph, kinds: readonly (keyof typeof SPELLINGS)[]): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const nodes = graph.nodes.flatMap((node): readonly AnyNode[] => {
    const spelling = kinds.includes(node.kind) ? (SPELLINGS[node.kind] as Spelling<OpKind> | undefined) : undefined;
    if (spelling === undefined) return [node];
    const draft = new Draft(tensors, node, graph.nodes);
    whole(node, () => spelling(node, draft));
    return draft.nodes;
  });
  return { ...graph, tensors, nodes };
}
