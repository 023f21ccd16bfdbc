/** STABLEHLO_REDUCE_WINDOW and REDUCE_WINDOW: one operator between slices with steps, dimension by dimension. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { AnyNode, Attributes, Graph, Node, OpKind, TensorId } from "../../graph.ts";
import { BITS, listText, type Tensor, typedCopy } from "../../tensor.ts";
import { realsOf } from "./reals.ts";

type Window = Attributes["reduceWindow"];
type WindowNode = Node<"reduceWindow">;

/** ReduceWindowFunction by number. */
const REDUCERS = [undefined, "add", "mul", "minimum", "maximum", "logicalAnd", "logicalOr"] as const;
type Reducer = NonNullable<(typeof REDUCERS)[number]>;

/** More slices than these are refused: each is a node. */
const MOST_SLICES = 1024;

/**
 * The nodes that such an operator is; what they need is appended to `tensors`. `body` is the subgraph that it reduces by, of
 * STABLEHLO_REDUCE_WINDOW. Sums add one dimension after the other.
 *
 * Errors: INVALID_MODEL where windows do not fit, UNSUPPORTED for other reducers, negative paddings, shapes that are open.
 */
export function windowed(node: WindowNode, body: Graph | undefined, tensors: Tensor[]): readonly AnyNode[] {
  const { where, inputs, outputs } = node;
  const refuse = (expected: string, received: string) => new Pint8Error("UNSUPPORTED", { where, expected, received });
  const [x, start] = [tensors[inputs[0] as TensorId], tensors[inputs[1] as TensorId]];
  const [y] = outputs;
  const sizes = body === undefined ? 5 : 2;
  if (x === undefined || start === undefined || y === undefined || inputs.length !== sizes || outputs.length !== 1)
    throw refuse("one tensor, its initial value and one output", `${inputs.length} inputs, ${outputs.length} outputs`);
  const reducer = body === undefined ? REDUCERS[node.attributes.of] : reducerOf(body);
  if (reducer === undefined)
    throw refuse(
      "windows under ADD, MUL, MINIMUM, MAXIMUM, LOGICAL_AND or LOGICAL_OR",
      body?.nodes.map(({ kind }) => kind).join(", ") ?? `function ${node.attributes.of}`,
    );
  const window = filled(body === undefined ? constants(node, tensors) : node.attributes, x.shape.length);
  check(window, x, where);

  const m = realsOf(where, tensors);
  const { data: _, variable: __, ...type } = x;
  const declare = () => (tensors.push({ ...type, shape: [] }) - 1) as TensorId;
  const append = (kind: OpKind, from: readonly TensorId[], attributes: object = {}) =>
    m.append(kind, from, attributes, x.dtype, declare());
  const [first, initial] = [inputs[0] as TensorId, inputs[1] as TensorId];
  // sums and products are not held at the largest float, as those of ADD and MUL are
  const attributes =
    reducer === "add" || reducer === "mul" ? { activation: "none", most: Number.POSITIVE_INFINITY } : {};
  const both = (a: TensorId, b: TensorId) => append(reducer, [a, b], attributes);

  let now = first;
  const shape = [...x.shape];
  if (window.baseDilation.some((step) => step > 1)) {
    now = append("dilate", [now, m.constant("int32", [shape.length], window.baseDilation), initial]);
    for (const [d, step] of window.baseDilation.entries())
      shape[d] = Math.max(0, ((shape[d] as number) - 1) * step + 1);
  }
  if (window.padding.some((size) => size > 0)) {
    now = append("pad", [now, m.constant("int32", [shape.length, 2], window.padding), initial]);
    for (const d of shape.keys())
      shape[d] = (shape[d] as number) + (window.padding[2 * d] as number) + (window.padding[2 * d + 1] as number);
  }
  for (const [d, length] of shape.entries()) {
    const [count, step, apart] = [window.window[d], window.stride[d], window.dilation[d]] as [number, number, number];
    if (count === 1 && step === 1) continue;
    const places = Math.floor((length - (count - 1) * apart - 1) / step) + 1;
    ensure(places > 0, "INVALID_MODEL", () => ({
      where,
      expected: `windows of ${(count - 1) * apart + 1} in dimension ${d}`,
      received: `${length} elements`,
    }));
    const ends = (1 << shape.length) - 1 - (1 << d);
    const along = (value: number, rest: number) =>
      m.constant(
        "int32",
        [shape.length],
        shape.map((_, i) => (i === d ? value : rest)),
      );
    const [whole, steps] = [now, along(step, 1)];
    const slice = (at: number) =>
      append("stridedSlice", [whole, along(at, 0), along(at + (places - 1) * step + 1, 0), steps], {
        ...{ beginMask: ends, endMask: ends, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 },
      });
    now = Array.from({ length: count }, (_, i) => slice(i * apart)).reduce(both);
  }
  // what the windows began with, where that changes anything, or there is nothing else to do
  if (now === first || !isIdle(reducer, start)) both(now, initial);
  const last = m.nodes.at(-1) as AnyNode;
  return [...m.nodes.slice(0, -1), { ...last, outputs: [y] } as AnyNode];
}

/** The one operator of two inputs that a body is. */
export function reducerOf({ nodes, inputs, outputs }: Graph): Reducer | undefined {
  const [one] = nodes;
  const whole = nodes.length === 1 && inputs.length === 2 && outputs[0]?.tensor === one?.outputs[0];
  const ends = [...(one?.inputs ?? [])].sort((a, b) => a - b).join();
  const given = inputs
    .map(({ tensor }) => tensor)
    .sort((a, b) => a - b)
    .join();
  return whole && ends === given ? REDUCERS.find((kind) => kind === one?.kind) : undefined;
}

/** Windows that stand in constants: shape, strides and dilations. */
function constants({ where, inputs }: WindowNode, tensors: readonly Tensor[]): Omit<Window, "of"> {
  const [window, stride, dilation] = inputs.slice(2).map((id) => {
    const { dtype, data } = tensors[id] ?? {};
    ensure((dtype === "int64" || dtype === "int32") && data !== undefined, "UNSUPPORTED", () => ({
      where,
      expected: "windows, strides and dilations that are int64 constants",
      received: data === undefined ? "none or a computed one" : `${dtype}`,
    }));
    return Array.from(typedCopy(dtype, data) as ArrayLike<number | bigint>, Number);
  });
  return { window, stride, dilation, baseDilation: [], padding: [], subgraphs: [], bodies: [] } as Omit<Window, "of">;
}

/** Every list as long as there are dimensions: what is left out is 1, paddings 0. */
function filled(attributes: Omit<Window, "of">, rank: number) {
  const list = (values: readonly number[], length = rank, rest = 1) =>
    values.length === 0 ? new Array<number>(length).fill(rest) : values;
  return {
    window: list(attributes.window),
    stride: list(attributes.stride),
    baseDilation: list(attributes.baseDilation),
    dilation: list(attributes.dilation),
    padding: list(attributes.padding, 2 * rank, 0),
  };
}

function check(window: ReturnType<typeof filled>, { shape }: Tensor, where: string): void {
  const { padding, ...steps } = window;
  const rank = shape.length;
  for (const [name, list] of Object.entries(steps))
    ensure(list.length === rank && list.every((n) => n >= 1 && n < 2 ** 31), "INVALID_MODEL", () => ({
      where: `${where}, ${name}`,
      expected: `${rank} numbers from 1`,
      received: listText(list),
    }));
  ensure(padding.length === 2 * rank, "INVALID_MODEL", () => ({
    where: `${where}, padding`,
    expected: `${rank} pairs`,
    received: listText(padding),
  }));
  ensure(padding.every((n) => n >= 0 && n < 2 ** 31) && shape.every((n) => n >= 0) && rank <= 8, "UNSUPPORTED", () => ({
    where,
    expected: "paddings from 0 of at most 8 dimensions of known size",
    received: `${listText(padding)} of ${listText(shape)}`,
  }));
  const slices = window.window.reduce((sum, n) => sum + n, 0);
  ensure(slices <= MOST_SLICES, "UNSUPPORTED", () => ({
    where,
    expected: `windows of at most ${MOST_SLICES} elements along all dimensions together`,
    received: listText(window.window),
  }));
}

/** Types whose initial values are looked at. */
const LOOKED_AT: ReadonlySet<string> = new Set<Tensor["dtype"]>(["float32", "int32", "int16", "int8", "bool"]);

/** True where an initial value changes no result: 0 of sums, the least of maxima. */
function isIdle(reducer: Reducer, { dtype, data }: Tensor): boolean {
  if (data === undefined || data.length < BITS[dtype] / 8 || !LOOKED_AT.has(dtype)) return false;
  const [value] = typedCopy(dtype, data);
  const least = dtype === "float32" ? Number.NEGATIVE_INFINITY : -(2 ** (BITS[dtype] - 1));
  const greatest = dtype === "float32" ? Number.POSITIVE_INFINITY : 2 ** (BITS[dtype] - 1) - 1;
  const idle = { add: 0, mul: 1, minimum: greatest, maximum: least, logicalAnd: 1, logicalOr: 0 };
  return value === idle[reducer];
}
