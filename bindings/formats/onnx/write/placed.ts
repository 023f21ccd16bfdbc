/** Nodes → ONNX operators that put elements at places, find them there, or count: those that ONNX spells with several. */
import type { OpKind, TensorId } from "../../../graph.ts";
import { type DType, dimensions } from "../../../tensor.ts";
import { listed } from "../../spelled.ts";
import type { Emitter } from "./emit.ts";
import { DATA_TYPES } from "./model.ts";
import { cast, finish, input, longs, output, real, reshaped, sizesOf, type Writer } from "./steps.ts";

const casted = (to: Emitter, x: string, dtype: DType) => to.step("Cast", [x], { to: DATA_TYPES[dtype] as number });
const long = (to: Emitter, value: number) => to.constant("number", "int64", [], BigInt64Array.of(BigInt(value)));

/** The boundaries that an element has reached. */
const bucketize: Writer<"bucketize"> = (node, to) => {
  const { boundaries } = node.attributes;
  const { dtype, shape } = to.tensor(input(node, 0));
  if (dtype === "float64") return false;
  const bounds = to.constant("boundaries", "float32", [boundaries.length], Float32Array.from(boundaries));
  // Integers beyond those of floats are compared as what is read of them, and so are boundaries.
  const x = dtype === "float32" ? to.name(input(node, 0)) : casted(to, to.name(input(node, 0)), "float32");
  const reached = to.step("GreaterOrEqual", [reshaped(to, x, [...shape, 1]), bounds]);
  const axis = to.integers("axis", [shape.length]);
  const count = to.step("ReduceSum", [casted(to, reached, "int32"), axis], { keepdims: 0 });
  return cast(output(node), to, count);
};

/** Of two sizes the one that is not 1, from the last on. */
const broadcastArgs: Writer<"broadcastArgs"> = (node, to) => {
  const [length = 0] = sizesOf(node, to);
  const [a, b] = [0, 1].map((i) => {
    const [own = 0] = to.tensor(input(node, i)).shape;
    const x = longs(to, input(node, i));
    if (own === length) return x;
    const ones = to.constant("ones", "int64", [length - own], new BigInt64Array(length - own).fill(1n));
    return to.step("Concat", [ones, x], { axis: 0 });
  }) as [string, string];
  return cast(output(node), to, to.step("Where", [to.step("Equal", [a, long(to, 1)]), b, a]));
};

/** The diagonal's elements in all rows, and of those the ones where row and column are one. */
const matrixSetDiag: Writer<"matrixSetDiag"> = (node, to) => {
  const { shape } = to.tensor(input(node, 0));
  const [rows, columns] = shape.slice(-2) as [number, number];
  const { shape: own } = to.tensor(input(node, 1));
  const x = to.real(input(node, 1));
  const missing = columns - (own.at(-1) as number);
  const pads = [...own.map(() => 0), ...own.map((_, i) => (i === own.length - 1 ? missing : 0))];
  const whole = missing === 0 ? x : to.step("Pad", [x, to.integers("pads", pads)]);
  const row = reshaped(to, whole, [...own.slice(0, -1), 1, columns]);
  const is = Uint8Array.from({ length: listed(to.where, rows * columns) }, (_, i) =>
    Number(Math.floor(i / columns) === i % columns),
  );
  const mask = to.constant("diagonal", "bool", [rows, columns], is);
  return finish(node, to, to.step("Where", [mask, row, to.real(input(node, 0))]));
};

/** Divided by a power of two, down to the next whole number. */
const rightShift: Writer<"rightShift"> = (node, to) => {
  const bits = { int8: 8, uint8: 8, int16: 16, uint16: 16, int32: 32, uint32: 32 }[
    to.tensor(output(node)).dtype as string
  ];
  if (bits === undefined) return false;
  const [x, by] = [0, 1].map((i) => casted(to, to.name(input(node, i)), "int64")) as [string, string];
  const least = to.step("Min", [to.step("Max", [by, long(to, 0)]), long(to, bits - 1)]);
  const one = to.constant("one", "uint64", [], BigUint64Array.of(1n));
  const shifted = to.step("BitShift", [one, casted(to, least, "uint64")], { direction: "LEFT" });
  const power = casted(to, shifted, "int64");
  return cast(output(node), to, to.step("Div", [to.step("Sub", [x, to.step("Mod", [x, power])]), power]));
};

/** A value everywhere, others at places. */
const sparseToDense: Writer<"sparseToDense"> = (node, to) => {
  const [indices, , values, other] = [0, 1, 2, 3].map((i) => input(node, i)) as [
    TensorId,
    TensorId,
    TensorId,
    TensorId,
  ];
  const sizes = to.numbers(node.inputs[1]);
  if (sizes === undefined) return false;
  const { shape } = to.tensor(indices);
  const [count, depth] = shape.length === 2 ? dimensions(shape, 2) : [shape[0] ?? 1, 1];
  const all = to.step("Expand", [reshaped(to, to.real(other), [1]), to.integers("shape", sizes)]);
  const updates = to.step("Expand", [reshaped(to, to.real(values), [-1]), to.integers("count", [count])]);
  const places = reshaped(to, longs(to, indices), [count, depth]);
  return finish(node, to, to.step("ScatterND", [all, places, updates]));
};

/** Rows of the keys that are wanted, zeros and 0 where there is none. */
const hashtableLookup: Writer<"hashtableLookup"> = (node, to) => {
  const [wanted, keys, values] = [0, 1, 2].map((i) => input(node, i)) as [TensorId, TensorId, TensorId];
  const [y, hits] = node.outputs as readonly [TensorId, TensorId];
  const { dtype, shape, quantization } = to.tensor(y);
  const [count = 0] = shape;
  if (dtype !== "float32" || quantization !== undefined) return false;
  const is = to.step("Equal", [reshaped(to, to.name(wanted), [count, 1]), to.name(keys)]);
  const found = casted(to, is, "int32");
  const best = to.step("ArgMax", [found], { axis: 1, keepdims: 0 });
  const hit = to.step("ReduceSum", [found, to.integers("axis", [1])], { keepdims: 0 });
  const rows = to.step("Gather", [to.name(values), best], { axis: 0 });
  const isHit = casted(to, hit, "bool");
  const wide = reshaped(to, isHit, [count, ...shape.slice(1).map(() => 1)]);
  to.set(y, to.step("Where", [wide, rows, real(to, 0, "zero")]));
  return cast(hits, to, casted(to, isHit, "int32"));
};

/** Writers by kind. */
export const PLACED: { readonly [K in OpKind]?: Writer<K> } = {
  bucketize,
  broadcastArgs,
  matrixSetDiag,
  rightShift,
  sparseToDense,
  hashtableLookup,
};
