/** Nodes → ONNX operators: normalizations, sums along an axis, the greatest, choices, remainders. */
import { type AnyNode, NONE, type Node, type OpKind, type TensorId } from "../../../graph.ts";
import type { Emitter } from "./emit.ts";
import { DATA_TYPES } from "./model.ts";
import {
  activated,
  biasOf,
  cast,
  chain,
  FIRST,
  finish,
  given,
  input,
  LAST,
  longs,
  output,
  pads,
  real,
  reduction,
  reshaped,
  unary,
  type Writer,
} from "./steps.ts";

/** The shortest vector that is divided by its length. Source: TFLite's L2Normalization. */
const SHORTEST = 1e-6;
const float = (to: Emitter, value: number) => real(to, value, "number");

const layerNorm: Writer<"layerNorm"> = (node, to) => {
  const { dimensions, epsilon } = node.attributes;
  const [x, scale, bias] = node.inputs as readonly [TensorId, TensorId?, TensorId?];
  const own = to.tensor(x).shape.slice(-dimensions);
  const has = (id: TensorId | undefined): id is TensorId => id !== undefined && id !== NONE;
  const shaped = (id: TensorId) =>
    String(to.tensor(id).shape) === String(own) ? to.name(id) : reshaped(to, to.name(id), own);
  const factors = has(scale) ? shaped(scale) : to.step("Expand", [float(to, 1), to.integers("shape", own)]);
  const inputs = [to.real(x), factors, ...(has(bias) ? [shaped(bias)] : [])];
  return finish(node, to, to.step("LayerNormalization", inputs, { axis: -dimensions, epsilon: { real: epsilon } }));
};

const l2Normalization: Writer<"l2Normalization"> = (node, to) => {
  const x = given(node, to);
  const sum = reduction(to, "ReduceSum", to.step("Mul", [x, x]), [-1], true);
  const length = to.step("Max", [to.step("Sqrt", [sum]), float(to, SHORTEST)]);
  return finish(node, to, activated(to, to.step("Div", [x, length]), node.attributes.activation));
};

const localResponse: Writer<"localResponseNormalization"> = (node, to) => {
  const { radius, bias, alpha, beta } = node.attributes;
  const size = 2 * radius + 1;
  const x = to.step("Transpose", [given(node, to)], { perm: FIRST });
  const numbers = { alpha: { real: alpha * size }, beta: { real: beta }, bias: { real: bias } };
  const y = to.step("LRN", [x], { size, ...numbers });
  return finish(node, to, y, "none", LAST);
};

/** Whether any, or all, are true: of 0 and 1 the greatest, or the least. */
const truths =
  (type: "ReduceMax" | "ReduceMin"): Writer<"reduceAny" | "reduceAll"> =>
  (node, to) => {
    const axes = to.numbers(node.inputs[1]);
    if (axes === undefined) return false;
    const x = to.step("Cast", [to.name(input(node as AnyNode, 0))], { to: DATA_TYPES.int32 as number });
    const y = reduction(to, type, x, axes, node.attributes.keepDims);
    return cast(output(node as AnyNode), to, y);
  };

/** The remainder with the divisor's sign; of floats that of the dividend, moved where the signs differ. */
const floorMod: Writer<"floorMod"> = (node, to) => {
  const [x, y] = [0, 1].map((i) => to.real(input(node, i))) as [string, string];
  if (to.tensor(output(node)).dtype !== "float32") return chain("Mod")(node as Node<OpKind>, to);
  const rest = to.step("Mod", [x, y], { fmod: 1 });
  const differs = to.step("Less", [to.step("Mul", [rest, y]), float(to, 0)]);
  return finish(node, to, to.step("Where", [differs, to.step("Add", [rest, y]), rest]));
};

/** Down to the next whole number: of integers the remainder goes first. */
const floorDiv: Writer<"floorDiv"> = (node, to) => {
  if (to.tensor(output(node)).dtype === "float32") return chain("Div", "Floor")(node as Node<OpKind>, to);
  const [x, y] = [0, 1].map((i) => to.real(input(node, i))) as [string, string];
  return finish(node, to, to.step("Div", [to.step("Sub", [x, to.step("Mod", [x, y])]), y]));
};

/** Of a condition for each first index, one for each of its elements. */
const select: Writer<"select"> = (node, to) => {
  const [condition, a, b] = [0, 1, 2].map((i) => input(node, i)) as [TensorId, TensorId, TensorId];
  const [{ shape }, all] = [to.tensor(condition), to.tensor(a).shape];
  const isShort = shape.length === 1 && all.length > 1;
  const sizes = all.map((_, i) => (i === 0 ? (shape[0] as number) : 1));
  const own = to.name(condition);
  const wide = isShort ? reshaped(to, own, sizes) : own;
  return finish(node, to, to.step("Where", [wide, to.real(a), to.real(b)]));
};

const conv3d: Writer<"conv3d"> = (node, to) => {
  const { stride, dilation, padding, activation } = node.attributes;
  const [x, w, bias] = node.inputs as readonly [TensorId, TensorId, TensorId?];
  const kernel = to.tensor(w).shape.slice(0, 3);
  const inputs = [
    to.step("Transpose", [to.real(x)], { perm: [0, 4, 1, 2, 3] }),
    to.step("Transpose", [to.real(w)], { perm: [4, 3, 0, 1, 2] }),
    ...(bias === undefined || bias === NONE ? [] : [biasOf(to, bias, x, w)]),
  ];
  const y = to.step("Conv", inputs, {
    kernel_shape: kernel,
    strides: stride,
    dilations: dilation,
    pads: pads(padding, to.tensor(x).shape.slice(1, 4), kernel, stride, dilation),
  });
  return finish(node, to, y, activation, [0, 2, 3, 4, 1]);
};

/** Of floats, or of int64: runtimes have few pairs of types. */
const oneHot: Writer<"oneHot"> = (node, to) => {
  const [indices, depth, on, off] = [0, 1, 2, 3].map((i) => input(node, i)) as [TensorId, TensorId, TensorId, TensorId];
  const isReal = to.real(on) !== to.name(on) || to.tensor(on).dtype === "float32";
  const single = (id: TensorId) => reshaped(to, isReal ? to.real(id) : longs(to, id), [1]);
  const values = to.step("Concat", [single(off), single(on)], { axis: 0 });
  const [place, count] = [longs(to, indices), reshaped(to, longs(to, depth), [])];
  // below 0 is nowhere, not from the end
  const isBelow = to.step("Less", [place, to.constant("zero", "int64", [], BigInt64Array.of(0n))]);
  const places = [to.step("Where", [isBelow, count, place]), count];
  const y = to.step("OneHot", [...places, values], { axis: node.attributes.axis });
  if (isReal) return finish(node, to, y);
  return cast(output(node), to, y);
};

/** Writers by kind. */
export const ROWS: { readonly [K in OpKind]?: Writer<K> } = {
  layerNorm,
  l2Normalization,
  localResponseNormalization: localResponse,
  floorMod,
  floorDiv,
  select,
  conv3d,
  erf: unary("Erf"),
  topK: (node, to) => {
    const [k] = to.numbers(node.inputs[1]) ?? [];
    const [values, places] = node.outputs as readonly [TensorId, TensorId];
    if (k === undefined) return false;
    const [best, where] = [to.fresh("greatest"), to.fresh("places")];
    to.add("TopK", [given(node, to), to.integers("k", [k])], best, { axis: -1 }, [where]);
    to.set(values, best);
    return cast(places, to, where);
  },
  cumsum: (node, to) => {
    const [axis] = to.numbers(node.inputs[1]) ?? [];
    if (axis === undefined) return false;
    const { exclusive, reverse } = node.attributes;
    const along = to.constant("axis", "int64", [], BigInt64Array.of(BigInt(axis)));
    const attributes = { exclusive: Number(exclusive), reverse: Number(reverse) };
    return finish(node, to, to.step("CumSum", [given(node, to), along], attributes));
  },
  rank: (node, to) => {
    const { length } = to.tensor(input(node, 0)).shape;
    to.add("Identity", [to.constant("rank", "int32", [], Int32Array.of(length))], to.name(output(node)));
    return true;
  },
  oneHot,
  addN: (node, to) => {
    const [first = "", ...rest] = node.inputs.map((id) => to.real(id));
    return finish(
      node,
      to,
      rest.reduce((sum, each) => to.step("Add", [sum, each]), first),
    );
  },
  reduceAny: truths("ReduceMax"),
  reduceAll: truths("ReduceMin"),
  bitwise: (node, to) => chain(node.attributes.form === "and" ? "BitwiseAnd" : "BitwiseOr")(node as Node<OpKind>, to),
  bitwiseXor: chain("BitwiseXor"),
};
