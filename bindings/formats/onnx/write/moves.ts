/** Nodes → ONNX operators that move, pick and place elements. */
import type { AnyNode, Node, OpKind, TensorId } from "../../../graph.ts";
import { byteLength, elementCount } from "../../../tensor.ts";
import { listed } from "../../spelled.ts";
import type { Emitter } from "./emit.ts";
import { DATA_TYPES } from "./model.ts";
import {
  axisOf,
  BEFORE_START,
  bothSides,
  cast,
  finish,
  given,
  input,
  longs,
  output,
  real,
  reshaped,
  reversed,
  scalar,
  sizesOf,
  sliced,
  type Writer,
} from "./steps.ts";

/** Pixels of blocks as batches: the places inside blocks go to the front. */
const spaceToBatch: Writer<"spaceToBatch"> = (node, to) => {
  const [blocks, sides] = [to.numbers(node.inputs[1]), to.numbers(node.inputs[2])];
  if (blocks === undefined || sides === undefined) return false;
  const { shape } = to.tensor(input(node, 0));
  const side = (i: number, k: number) => (i > 0 && i <= blocks.length ? (sides[2 * (i - 1) + k] as number) : 0);
  const amounts = [0, 1].flatMap((k) => shape.map((_, i) => side(i, k)));
  const x = to.step("Pad", [given(node, to), to.integers("pads", amounts)]);
  const padded = shape.map((size, i) => size + side(i, 0) + side(i, 1));
  const block = (i: number) => blocks[i - 1];
  const apart = padded.flatMap((size, i) => {
    const own = i === 0 ? undefined : block(i);
    return own === undefined ? [size] : [size / own, own];
  });
  const inner = blocks.map((_, i) => 2 + 2 * i);
  const perm = [...inner, ...apart.map((_, i) => i).filter((i) => !inner.includes(i))];
  const y = to.step("Transpose", [reshaped(to, x, apart)], { perm });
  return finish(node, to, reshaped(to, y, sizesOf(node, to)));
};

/** Batches as pixels of blocks, then without what is cropped. */
const batchToSpace: Writer<"batchToSpace"> = (node, to) => {
  const [blocks, crops] = [to.numbers(node.inputs[1]), to.numbers(node.inputs[2])];
  if (blocks === undefined || crops === undefined) return false;
  const { shape } = to.tensor(input(node, 0));
  const [batch = 1, ...rest] = shape;
  const m = blocks.length;
  const outer = batch / blocks.reduce((all, size) => all * size, 1);
  const perm = [m, ...rest.flatMap((_, i) => (i < m ? [m + 1 + i, i] : [m + 1 + i]))];
  const apart = reshaped(to, given(node, to), [...blocks, outer, ...rest]);
  const whole = [outer, ...rest.map((size, i) => size * (blocks[i] ?? 1))];
  const y = reshaped(to, to.step("Transpose", [apart], { perm }), whole);
  const starts = blocks.map((_, i) => crops[2 * i] as number);
  const ends = starts.map((start, i) => start + (sizesOf(node, to)[i + 1] as number));
  const axes = blocks.map((_, i) => i + 1);
  return finish(node, to, sliced(to, y, starts, ends, axes));
};

/** Elements apart, with a value between them: behind each, but for the last. */
const dilate: Writer<"dilate"> = (node, to) => {
  const steps = to.numbers(node.inputs[1]);
  if (steps === undefined) return false;
  const value = scalar(to, input(node, 2));
  const sizes = [...to.tensor(input(node, 0)).shape];
  let y = given(node, to);
  for (const [i, step] of steps.entries()) {
    if (step === 1) continue;
    const apart = [...sizes.slice(0, i + 1), 1, ...sizes.slice(i + 1)];
    const amounts = [...apart.map(() => 0), ...apart.map((_, k) => (k === i + 1 ? step - 1 : 0))];
    const padded = to.step("Pad", [reshaped(to, y, apart), to.integers("pads", amounts), value]);
    sizes[i] = (sizes[i] as number) * step;
    const whole = reshaped(to, padded, sizes);
    sizes[i] -= step - 1;
    y = sliced(to, whole, [0], [sizes[i] as number], [i]);
  }
  return finish(node, to, y);
};

/** What lies on this side of the edge, with its last element once more: no mode of Pad. */
function symmetric(node: Node<"mirrorPad">, to: Emitter, amounts: readonly number[]): true {
  const part = (x: string, axis: number, start: number, end: number) => sliced(to, x, [start], [end], [axis], [-1]);
  const { shape } = to.tensor(input(node, 0));
  const y = shape.reduce(
    (x, size, axis) => {
      const [before, after] = [amounts[2 * axis] as number, amounts[2 * axis + 1] as number];
      const parts = [
        ...(before === 0 ? [] : [part(x, axis, before - 1, BEFORE_START)]),
        x,
        ...(after === 0 ? [] : [part(x, axis, size - 1, size - 1 - after === -1 ? BEFORE_START : size - 1 - after)]),
      ];
      return parts.length === 1 ? x : to.step("Concat", parts, { axis });
    },
    given(node, to),
  );
  return finish(node, to, y);
}

const mirrorPad: Writer<"mirrorPad"> = (node, to) => {
  const amounts = to.numbers(node.inputs[1]);
  if (amounts === undefined) return false;
  if (node.attributes.mode === "symmetric") return symmetric(node, to, amounts);
  const list = bothSides(amounts);
  return finish(node, to, to.step("Pad", [given(node, to), to.integers("pads", list)], { mode: "reflect" }));
};

const gather: Writer<"gather"> = (node, to) => {
  const { batchDims } = node.attributes;
  const [x, indices] = [input(node, 0), input(node, 1)];
  const axis = axisOf(to, x, node.attributes.axis);
  if (batchDims === 0) return finish(node, to, to.step("Gather", [to.real(x), to.name(indices)], { axis }));
  const single = reshaped(to, longs(to, indices), [...to.tensor(indices).shape, 1]);
  const picked = (from: string) => to.step("GatherND", [from, single], { batch_dims: batchDims });
  if (axis === batchDims) return finish(node, to, picked(to.real(x)));
  // the axis behind the batches, and what was before it behind the places
  const all = to.tensor(x).shape.map((_, i) => i);
  const between = all.slice(batchDims, axis);
  const y = picked(
    to.step("Transpose", [to.real(x)], {
      perm: [...all.slice(0, batchDims), axis, ...between, ...all.slice(axis + 1)],
    }),
  );
  const places = to.tensor(indices).shape.length - batchDims;
  const later = (i: number) => i + batchDims;
  const perm = [
    ...all.slice(0, batchDims),
    ...between.map((_, i) => later(places + i)),
    ...Array.from({ length: places }, (_, i) => later(i)),
    ...all.slice(axis + 1).map((_, i) => later(places + between.length + i)),
  ];
  return finish(node, to, to.step("Transpose", [y], { perm }));
};

/** Vectors as diagonals: with as many zeros as there are elements behind each, of which the last are left out. */
const matrixDiag: Writer<"matrixDiag"> = (node, to) => {
  const { shape } = to.tensor(input(node, 0));
  const n = shape.at(-1) as number;
  const rest = shape.slice(0, -1);
  const x = reshaped(to, given(node, to), [...shape, 1]);
  const amounts = [...shape.map(() => 0), 0, ...shape.map(() => 0), n];
  const { quantization } = to.tensor(output(node));
  // zeros, not what stands for them
  const fill = quantization && real(to, -(quantization.zeroPoint[0] ?? 0) * (quantization.scale[0] as number), "zero");
  const wide = to.step("Pad", [x, to.integers("pads", amounts), ...(fill === undefined ? [] : [fill])]);
  const flat = reshaped(to, wide, [...rest, n * (n + 1)]);
  return finish(node, to, reshaped(to, sliced(to, flat, [0], [n * n], [rest.length]), sizesOf(node, to)));
};

/** Updates put into data that is given by name. */
const scattered = (to: Emitter, data: string, indices: TensorId, updates: TensorId, mode: string) =>
  to.step("ScatterND", [data, longs(to, indices), to.real(updates)], mode === "set" ? {} : { reduction: mode });

/** x with an update at computed begins, which are moved until it lies within: by the places of its rows in the dimensions that it does not fill. */
const dynamicUpdateSlice: Writer<"dynamicUpdateSlice"> = (node, to) => {
  const [x, update, begins] = [0, 1, 2].map((i) => input(node, i)) as [TensorId, TensorId, TensorId];
  const [all, own] = [to.tensor(x).shape, to.tensor(update).shape];
  const depth = all.reduce((last, size, i) => (size === own[i] ? last : i + 1), 1);
  const shape = own.slice(0, depth);
  const places: number[] = [];
  for (let i = 0; i < listed(node.where, elementCount(shape)); i++)
    for (const [d] of shape.entries()) {
      const inner = elementCount(shape.slice(d + 1));
      places.push(Math.floor(i / inner) % (shape[d] as number));
    }
  const grid = to.constant("places", "int64", [...shape, depth], BigInt64Array.from(places, BigInt));
  const most = to.integers(
    "most",
    shape.map((size, d) => (all[d] as number) - size),
  );
  const [zero, end] = [to.integers("zero", [0]), to.integers("depth", [depth])];
  const first = to.step("Slice", [longs(to, begins), zero, end]);
  const within = to.step("Min", [to.step("Max", [first, zero]), most]);
  const indices = to.step("Add", [grid, within]);
  return finish(node, to, to.step("ScatterND", [to.real(x), indices, to.real(update)]));
};

/** Zeros of the output's type and shape. */
function zeros(node: AnyNode, to: Emitter): string {
  const { dtype, shape } = to.tensor(output(node));
  const zero = to.constant("zero", dtype, [1], new Uint8Array(byteLength({ dtype, shape: [1] })));
  return to.step("Expand", [zero, to.integers("shape", shape)]);
}

/** Writers by kind. */
export const MOVES: { readonly [K in OpKind]?: Writer<K> } = {
  spaceToBatch,
  batchToSpace,
  dilate,
  dynamicUpdateSlice,
  mirrorPad,
  gather,
  matrixDiag,
  reverse: (node, to) => {
    const axes = to.numbers(node.inputs[1]);
    return axes !== undefined && finish(node, to, reversed(to, given(node, to), axes));
  },
  gatherNd: (node, to) => finish(node, to, to.step("GatherND", [given(node, to), longs(to, input(node, 1))])),
  embeddingLookup: (node, to) =>
    finish(node, to, to.step("Gather", [to.real(input(node, 1)), to.name(input(node, 0))], { axis: 0 })),
  scatterNd: (node, to) => {
    const { dtype, quantization, shape } = to.tensor(output(node));
    if (quantization === undefined)
      return finish(node, to, scattered(to, zeros(node, to), input(node, 0), input(node, 1), "add"));
    if (dtype !== "int8" && dtype !== "uint8") return false;
    // bytes, which are added as they are
    const whole = { to: DATA_TYPES.int32 as number };
    const base = to.constant("zeros", "int32", shape, new Int32Array(elementCount(shape)));
    const updates = to.step("Cast", [to.name(input(node, 1))], whole);
    const sum = to.step("ScatterND", [base, longs(to, input(node, 0)), updates], { reduction: "add" });
    return cast(output(node), to, sum);
  },
  scatterUpdate: (node, to) => {
    const [data, indices, updates] = [0, 1, 2].map((i) => input(node, i)) as [TensorId, TensorId, TensorId];
    return finish(node, to, scattered(to, to.real(data), indices, updates, node.attributes.mode));
  },
  fill: (node, to) => finish(node, to, to.step("Expand", [scalar(to, input(node, 1)), longs(to, input(node, 0))])),
  zerosLike: (node, to) => {
    const { dtype } = to.tensor(output(node));
    const zero = to.constant("zero", dtype, [1], new Uint8Array(byteLength({ dtype, shape: [1] })));
    to.loose.add(output(node));
    to.add("Expand", [zero, to.step("Shape", [to.name(input(node, 0))])], to.name(output(node)));
    return true;
  },
  range: (node, to) =>
    finish(
      node,
      to,
      to.step(
        "Range",
        node.inputs.map((id) => scalar(to, id)),
      ),
    ),
  reverseSequence: (node, to) => {
    const { sequenceAxis: time_axis, batchAxis: batch_axis } = node.attributes;
    if (time_axis + batch_axis !== 1 || time_axis * batch_axis !== 0) return false;
    const inputs = [given(node, to), longs(to, input(node, 1))];
    return finish(node, to, to.step("ReverseSequence", inputs, { time_axis, batch_axis }));
  },
};
