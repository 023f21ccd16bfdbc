/**
 * Random numbers in terms of whole numbers: Philox 4×32 of ten rounds, as TensorFlow Lite draws them, four to a block. A variable
 * counts the blocks that were drawn. Source: tsl/lib/random/philox_random.h, tensorflow/lite/kernels/random_ops.cc.
 */
import type { AnyNode, Node, OpKind, TensorId } from "../../graph.ts";
import { type DType, elementCount, type Tensor } from "../../tensor.ts";
import { bytesOfNumbers } from "../values.ts";
import { countsOf } from "./counts.ts";
import { numbers } from "./rowwise.ts";

const WORD = 2n ** 32n;
const FACTORS = [0xd2511f53n, 0xcd9e8d57n] as const;
const STEPS = [0x9e3779b9n, 0xbb67ae85n] as const;
const activation = "none";

/** The nodes in place of one; undefined where its sizes are not known. */
export function randomNumbers(node: AnyNode, x: Tensor, tensors: Tensor[]): readonly AnyNode[] | undefined {
  if (node.kind !== "random" || node.outputs.length !== 1) return undefined;
  const count = numbers(tensors[node.inputs[1] as TensorId])?.[0];
  const isDrawn = node.attributes.of === "classes";
  const shape = isDrawn ? [x.shape[0] ?? 0, count ?? -1] : numbers(x);
  const fits = isDrawn ? x.dtype === "float32" && x.shape.length === 2 && x.open === undefined : x.dtype === "int32";
  const most = elementCount(shape ?? []);
  if (!fits || shape === undefined || shape.some((size) => size < 0) || most > 2 ** 28 || x.shape.includes(0))
    return undefined;
  return drawn(node, tensors, shape);
}

/** Blocks that drawing classes leaves behind, far more than it needs. */
const reserved = ([batch = 0, count = 0]: readonly number[]) => batch * Math.ceil(count / 4) * 2048;

function drawn(node: Node<"random">, tensors: Tensor[], shape: readonly number[]): readonly AnyNode[] {
  const { of, seed, seed2 } = node.attributes;
  const counts = countsOf(node.where, tensors);
  const output = node.outputs[0] as TensorId;
  const state = node.inputs.at(-1) as TensorId;
  const constant = (dtype: DType, value: number) =>
    (tensors.push({ name: "", dtype, shape: [], data: bytesOfNumbers(dtype, [value]) }) - 1) as TensorId;
  const long = (value: bigint) => constant("int64", Number(value));
  const real = (value: number) => constant("float32", value);
  const does = (kind: OpKind, a: TensorId, b: TensorId) => counts.append(kind, [a, b], { activation }, "int64");
  const float = (kind: OpKind, inputs: readonly TensorId[]) =>
    counts.append(kind, inputs, inputs.length > 1 ? { activation } : {}, "float32");
  const cast = (id: TensorId, to: DType, y?: TensorId) => counts.append("cast", [id], {}, to, y);
  const low = (id: TensorId, bits = WORD) => does("floorMod", id, long(bits));
  const high = (id: TensorId) => does("floorDiv", id, long(WORD));
  const shaped = (id: TensorId, to: readonly number[], dtype: DType, y?: TensorId) =>
    counts.append("reshape", [id, counts.ints([to.length], to)], { shape: to }, dtype, y);

  const count = elementCount(shape);
  const words = of === "classes" ? 2 * count : of === "normal" ? 2 * Math.ceil(count / 2) : count;
  const blocks = Math.max(1, Math.ceil(words / 4));
  const before = counts.append("readVariable", [state], {}, "int64");
  const places = does("add", cast(counts.places(blocks), "int64"), before);
  const after = does("add", before, long(BigInt(of === "classes" ? reserved(shape) : Math.ceil(words / 4))));
  const [key, more] = [seed, seed2].map((each) => BigInt.asUintN(64, BigInt(each))) as [bigint, bigint];
  let key0 = key % WORD;
  let key1 = key / WORD;
  let lanes = [low(places), high(places), long(more % WORD), long(more / WORD)] as const;
  for (let round = 0; round < 10; round++) {
    const [a, b] = [does("mul", lanes[0], long(FACTORS[0])), does("mul", lanes[2], long(FACTORS[1]))];
    // products are u64, which int64 holds modulo 2^64
    const mixed = (product: TensorId, lane: TensorId, by: bigint) =>
      does("bitwiseXor", does("bitwiseXor", low(high(product)), lane), long(by));
    lanes = [mixed(b, lanes[1], key0), low(b), mixed(a, lanes[3], key1), low(a)];
    key0 = (key0 + STEPS[0]) % WORD;
    key1 = (key1 + STEPS[1]) % WORD;
  }
  const joined = counts.append("pack", lanes, { axis: 1 }, "int64");
  /** From 0 to below 1, by 23 bits. */
  const unit = (id: TensorId) => float("mul", [cast(low(id, 2n ** 23n), "float32"), real(2 ** -23)]);
  const column = (id: TensorId, at: number) =>
    counts.append("gather", [id, counts.ints([1], [at])], { axis: 1, batchDims: 0 }, tensors[id] as Tensor);
  const first = (id: TensorId, some: number, dtype: DType) =>
    counts.append("slice", [shaped(id, [-1], dtype), counts.ints([1], [0]), counts.ints([1], [some])], {}, dtype);

  if (of === "uniform") shaped(first(unit(joined), count, "float32"), shape, "float32", output);
  else {
    const pairs = shaped(joined, [2 * blocks, 2], "int64");
    const [a, b] = [column(pairs, 0), column(pairs, 1)];
    if (of === "normal") {
      const angle = float("mul", [unit(b), real(2 * Math.PI)]);
      const size = float("log", [float("maximum", [unit(a), real(1e-7)])]);
      const radius = float("sqrt", [float("mul", [size, real(-2)])]);
      const parts = (["sin", "cos"] as const).map((kind) => float("mul", [float(kind, [angle]), radius]));
      const both = counts.append("concat", parts, { axis: 1, activation }, "float32");
      shaped(first(both, count, "float32"), shape, "float32", output);
    } else {
      const bits = does("add", does("mul", low(a, 2n ** 20n), long(WORD)), b);
      const share = float("mul", [cast(first(bits, count, "int64"), "float32"), real(2 ** -52)]);
      classes(shaped(share, [...shape, 1], "float32"));
    }
  }
  const own = { where: node.where, inputs: [state, after], outputs: [], attributes: {} };
  // by names of their own, so that a report tells them apart
  return [...counts.taken(), { kind: "assignVariable", ...own } satisfies AnyNode].map((each, i) => ({
    ...each,
    where: `${node.where}, part ${i}`,
  }));

  /** The classes whose part of the sum of all, in turn, holds each share of it. */
  function classes(share: TensorId): void {
    const {
      shape: [batch = 0, all = 0],
    } = tensors[node.inputs[0] as TensorId] as Tensor;
    const axis = counts.ints([1], [1]);
    const scores = node.inputs[0] as TensorId;
    const greatest = counts.append("reduceMax", [scores, axis], { keepDims: true }, "float32");
    const parts = float("exp", [float("sub", [scores, greatest])]);
    const sums = counts.append("cumsum", [parts, counts.int(1)], { exclusive: false, reverse: false }, "float32");
    const aim = float("mul", [share, shaped(column(sums, all - 1), [batch, 1, 1], "float32")]);
    const isBefore = counts.append("lessEqual", [shaped(sums, [batch, 1, all], "float32"), aim], {}, "bool");
    const [last, whole] = [counts.ints([1], [2]), cast(isBefore, "int32")];
    const found = counts.append("sum", [whole, last], { keepDims: false }, "int32");
    cast(counts.two("minimum", found, counts.int(all - 1)), (tensors[output] as Tensor).dtype, output);
  }
}
