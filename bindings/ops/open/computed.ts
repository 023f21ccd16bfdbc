/**
 * Operators whose results have sizes that a run computes, in others whose sizes are known: the result is made as large as
 * there is room for, and cut. Where the first size alone is computed it has open rows; otherwise its length is open.
 */
import type { AnyNode, OpKind, TensorId } from "../../graph.ts";
import { elementCount, type Tensor, zeroOf } from "../../tensor.ts";
import { OPEN_LENGTH } from "../move/moving.ts";
import { bytesOfNumbers } from "../values.ts";
import { limit } from "./bounded.ts";
import { cutterOf, ROOMY, rowsFor, type Size } from "./cutting.ts";
import { type Element, elementsOf } from "./origins.ts";
import { stridedParts } from "./parts.ts";
import { RARER } from "./rarer.ts";
import { CLOSING, isOpen, LEAST, numbers } from "./rowwise.ts";

type Writers = ReadonlyMap<TensorId, AnyNode>;
type Rewriting = (
  node: AnyNode,
  x: Tensor,
  tensors: Tensor[],
  writers: Writers,
) => readonly AnyNode[] | boolean | undefined;

/** The nodes in place of one; undefined where it stays. */
export function withoutComputedSizes(
  node: AnyNode,
  tensors: Tensor[],
  writers: Writers,
): readonly AnyNode[] | undefined {
  const x = tensors[node.inputs[0] as TensorId] as Tensor;
  const parts = REWRITINGS[node.kind]?.(node, x, tensors, writers) ?? RARER[node.kind]?.(node, x, tensors, writers);
  if (parts !== true) return parts === false ? undefined : parts;
  CLOSING.add(node);
  return undefined;
}

const isNumber = (element: Element): element is number => typeof element === "number";
/** Repeats one value or a tensor into computed sizes: `make` gives a tensor of known ones. */
const repeated =
  (sizesAt: 0 | 1, make: (node: AnyNode, sizes: TensorId) => readonly TensorId[]): Rewriting =>
  (node, x, tensors, writers) => {
    const sizes = elementsOf(node.inputs[sizesAt] as TensorId, tensors, writers);
    const [first, ...rest] = sizes;
    if (x.open !== undefined || first === undefined || isNumber(first) || !rest.every(isNumber)) return undefined;
    const inner = elementCount(rest);
    const cutter = cutterOf(node.where, tensors);
    const rows = cutter.size(first, rowsFor(inner), ROOMY * rowsFor(inner));
    const like = tensors[node.outputs[0] as TensorId] as Tensor;
    const all = cutter.counts.ints([sizes.length], [rows.room, ...rest]);
    const whole = cutter.counts.append(node.kind, make(node, all), node.attributes, like);
    return cutter.rows(whole, inner, rows, node.outputs[0] as TensorId);
  };

const fill = repeated(0, (node, sizes) => [sizes, node.inputs[1] as TensorId]);
const broadcastRows = repeated(1, (node, sizes) => [node.inputs[0] as TensorId, sizes]);

/** Elements of x again and again: of one size that is one element, where `isOne`; in turns otherwise. */
const tiled =
  (isOne: boolean): Rewriting =>
  (node, x, tensors, writers) => {
    const asked = elementsOf(node.inputs[1] as TensorId, tensors, writers);
    if (x.open !== undefined || asked.length < x.shape.length || asked.every(isNumber) || x.shape.includes(0))
      return undefined;
    const shape = [...new Array<number>(asked.length - x.shape.length).fill(1), ...x.shape];
    const cutter = cutterOf(node.where, tensors);
    const { counts } = cutter;
    const axes = asked.map((each, d) => {
      const own = shape[d] as number;
      const size = isNumber(each) ? counts.int(each) : cutter.size(each, OPEN_LENGTH).id;
      const place = (at: TensorId) =>
        own === 1 ? undefined : isOne ? at : counts.two("floorMod", at, counts.int(own));
      return { size: isOne ? size : counts.times(size, own), place, stride: elementCount(shape.slice(d + 1)) };
    });
    return cutter.flat(
      node.inputs[0] as TensorId,
      elementCount(x.shape),
      axes,
      OPEN_LENGTH,
      node.outputs[0] as TensorId,
      OPEN_LENGTH,
    );
  };

/** A part that begins anywhere, of computed size. */
const slice: Rewriting = (node, x, tensors, writers) => {
  const [begins, sizes] = node.inputs.slice(1).map((id) => elementsOf(id, tensors, writers));
  const rank = x.shape.length;
  const isPlain = x.open === undefined && begins?.length === rank && sizes?.length === rank && !x.shape.includes(0);
  if (!isPlain || sizes.every(isNumber)) return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const axes = x.shape.map((all, d) => {
    const [begin, asked] = [begins[d] as Element, sizes[d] as Element];
    const first = isNumber(begin) ? counts.int(begin) : cutter.scalar(begin);
    const left = counts.two("maximum", counts.two("sub", counts.int(all), first), counts.int(0));
    const wish = isNumber(asked) ? counts.int(asked) : cutter.scalar(asked);
    const isRest = counts.append("less", [wish, counts.int(0)], {}, "bool");
    const size = counts.append("selectV2", [isRest, left, counts.two("minimum", wish, left)]);
    const place = (at: TensorId) => counts.two("add", at, first);
    return { size, place, stride: elementCount(x.shape.slice(d + 1)) };
  });
  return cutter.flat(
    node.inputs[0] as TensorId,
    elementCount(x.shape),
    axes,
    elementCount(x.shape),
    node.outputs[0] as TensorId,
  );
};

/** The k greatest of computed k: all of them in order, and of these the first. Rows that are not there come last. */
const topK: Rewriting = (node, x, tensors, writers) => {
  const [source, k] = node.inputs as readonly [TensorId, TensorId];
  const [asked] = elementsOf(k, tensors, writers);
  const isFlat = x.shape.length === 1;
  const depth = x.shape.at(-1) ?? 0;
  if (asked === undefined || (isNumber(asked) && !(isFlat && isOpen(x))) || elementCount(x.shape) === 0)
    return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const least = LEAST[x.dtype];
  if (x.open !== undefined && (!isFlat || !isOpen(x) || least === undefined)) return undefined;
  const seen = isOpen(x) ? cutter.masked(source, x, least as number) : source;
  if (isNumber(asked)) return [...counts.taken(), { ...node, inputs: [seen, k] }];
  const all = node.outputs.map((id) => cutter.copyOf(tensors[id] as Tensor));
  const whole = { ...node, inputs: [seen, counts.int(depth)], outputs: all };
  const before = [...counts.taken(), whole];
  const rows = cutter.size(asked, depth);
  const after = node.outputs.map((output, i) => {
    if (isFlat) return cutter.rows(all[i] as TensorId, 1, rows, output);
    return cutter.along(all[i] as TensorId, x.shape, x.shape.length - 1, rows, output);
  });
  return [...before, ...after.flat()];
};

/** A new axis of computed length. */
const oneHot: Rewriting = (node, x, tensors, writers) => {
  const [asked] = elementsOf(node.inputs[1] as TensorId, tensors, writers);
  if (asked === undefined || isNumber(asked) || x.open !== undefined || node.kind !== "oneHot") return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const inner = elementCount(x.shape);
  const depth = cutter.size(asked, rowsFor(inner), ROOMY * rowsFor(inner));
  const inputs = node.inputs.map((id, i) => (i === 1 ? counts.int(depth.room) : id));
  const output = node.outputs[0] as TensorId;
  const whole = counts.append("oneHot", inputs, node.attributes, tensors[output] as Tensor);
  const { axis } = node.attributes;
  const rank = x.shape.length;
  const at = axis < 0 ? axis + rank + 1 : axis;
  if (at === 0) return cutter.rows(whole, inner, depth, output);
  const shape = [...x.shape.slice(0, at), depth.room, ...x.shape.slice(at)];
  return cutter.along(whole, shape, at, depth, output);
};

/** Rows behind rows, some of which are not there. */
const concat: Rewriting = (node, x, tensors) => {
  const parts = node.inputs.flatMap((id) => tensors[id] ?? []);
  const { axis } = node.attributes as { readonly axis: number };
  if (parts.length < node.inputs.length || !parts.some(isOpen) || (axis !== 0 && axis !== -x.shape.length))
    return undefined;
  if (parts.some(({ open }) => open !== undefined && open !== "rows")) return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const room = parts.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
  const places = counts.places(room);
  let total = counts.int(0);
  let from = places;
  for (const [i, id] of node.inputs.entries()) {
    const all = counts.int(parts[i]?.shape[0] as number);
    if (!isOpen(parts[i] as Tensor)) {
      total = counts.two("add", total, all);
      continue;
    }
    const rows = counts.rowsOf(id);
    total = counts.two("add", total, rows);
    const isBehind = counts.append("lessEqual", [total, places], {}, "bool");
    const gap = counts.two("sub", all, rows);
    from = counts.two("add", from, counts.append("selectV2", [isBehind, gap, counts.int(0)]));
  }
  const output = node.outputs[0] as TensorId;
  const like = tensors[output] as Tensor;
  const whole = counts.append("concat", node.inputs, node.attributes, like);
  cutter.close();
  const rows = counts.append("gather", [whole, from], { axis: 0, batchDims: 0 }, like);
  return cutter.rows(rows, elementCount(x.shape.slice(1)), { id: total, room }, output);
};

/** Rows in the other order. */
const reverse: Rewriting = (node, x, tensors) => {
  const axes = numbers(tensors[node.inputs[1] as TensorId]);
  const [source] = node.inputs as readonly [TensorId];
  if (!isOpen(x) || axes?.length !== 1 || (axes[0] !== 0 && axes[0] !== -x.shape.length)) return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const [room, ...rest] = x.shape as readonly [number, ...number[]];
  const rows = counts.rowsOf(source);
  const from = counts.two("sub", counts.two("sub", rows, counts.int(1)), counts.places(room));
  const whole = counts.append("gather", [source, from], { axis: 0, batchDims: 0 }, x);
  cutter.close();
  return cutter.rows(whole, elementCount(rest), { id: rows, room }, node.outputs[0] as TensorId);
};

/** Rows that are not there go nowhere. */
const scatterNd: Rewriting = (node, x, tensors) => {
  if (!isOpen(x)) return undefined;
  const cutter = cutterOf(node.where, tensors);
  const places = cutter.masked(node.inputs[0] as TensorId, x, -1);
  const closed = { ...node, inputs: [places, ...node.inputs.slice(1)] };
  CLOSING.add(closed);
  return [...cutter.counts.taken(), closed];
};

/** Rows before and behind open ones. */
const pad: Rewriting = (node, x, tensors, writers) => {
  const [source, pads, given] = node.inputs as readonly [TensorId, TensorId, TensorId?];
  const rank = x.shape.length;
  const sizes = elementsOf(pads, tensors, writers);
  const [before, behind, ...rest] = sizes as readonly [Element, Element, ...Element[]];
  if (!isOpen(x) || sizes.length !== 2 * rank || !rest.every(isNumber) || (before === 0 && behind === 0))
    return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  const output = node.outputs[0] as TensorId;
  const inner = x.shape.slice(1).map((n, d) => n + (rest[2 * d] as number) + (rest[2 * d + 1] as number));
  const room = rowsFor(elementCount(inner));
  const wider = counts.append(
    "pad",
    [source, counts.ints([rank, 2], [0, 0, ...rest]), ...(given === undefined ? [] : [given])],
    {},
    tensors[output] as Tensor,
  );
  const first = counts.held(cutter.scalar(before), room + 1);
  const count = counts.rowsOf(source);
  const places = counts.append("reshape", [counts.places(room)], { shape: [room, ...inner.map(() => 1)] });
  const from = counts.two("sub", places, first);
  const isThere = counts.append(
    "logicalAnd",
    [counts.append("lessEqual", [counts.int(0), from], {}, "bool"), counts.append("less", [from, count], {}, "bool")],
    {},
    "bool",
  );
  const like = tensors[output] as Tensor;
  const flat = counts.append("reshape", [counts.within(from, x.shape[0] as number)], { shape: [room] });
  const rows = counts.append("gather", [wider, flat], { axis: 0, batchDims: 0 }, like);
  cutter.close();
  const value = given ?? cutter.constant(like, bytesOfNumbers(x.dtype, [zeroOf(x)]));
  const whole = counts.append("selectV2", [isThere, rows, value], {}, like);
  const total = counts.two("add", counts.two("add", first, count), counts.held(cutter.scalar(behind), room + 1));
  limit(total, room, tensors);
  return cutter.rows(whole, elementCount(inner), { id: total, room } satisfies Size, output);
};

const REWRITINGS: { readonly [K in OpKind]?: Rewriting } = {
  broadcastTo: (...of) => broadcastRows(...of) ?? tiled(true)(...of),
  concat,
  fill,
  gather: (node, x, tensors) =>
    isOpen(x) &&
    (tensors[node.inputs[1] as TensorId] as Tensor).open === undefined &&
    (node.attributes as { readonly axis: number }).axis === 0,
  oneHot,
  pad,
  reverse,
  scatterNd,
  slice,
  stridedSlice: stridedParts,
  tile: tiled(false),
  topK,
};
