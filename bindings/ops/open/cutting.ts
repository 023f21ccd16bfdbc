/** Nodes that cut tensors of known sizes to computed ones. */
import type { AnyNode, TensorId } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { OPEN_LENGTH } from "../move/moving.ts";
import { bytesOfNumbers } from "../values.ts";
import { GUARDED, limit } from "./bounded.ts";
import { countsOf } from "./counts.ts";
import type { Element } from "./origins.ts";
import { CLOSING } from "./rowwise.ts";

/** A computed number of rows, an int32 scalar, and as many as there is room for. */
export interface Size {
  readonly id: TensorId;
  readonly room: number;
}

/** One dimension of a result: its size, and where in x's own its places lie; undefined: all at 0. */
interface Axis {
  readonly size: TensorId;
  readonly place: (at: TensorId) => TensorId | undefined;
  /** Elements of x from one place to the next. */
  readonly stride: number;
}

/** Sizes that have been computed, by tensors, so that those which are one are known to be: where all turns and branches are taken. */
const SIZES = new WeakMap<readonly Tensor[], Map<string, Size>>();

/** Rows of so many elements for which there is room. */
export const rowsFor = (inner: number) => Math.max(1, Math.floor(OPEN_LENGTH / Math.max(inner, 1)));
/** So many times as much room is no waste where tensors of one size would have different room otherwise. */
export const ROOMY = 64;

const each = { axis: 0, batchDims: 0 };

/** Functions that make nodes, and give those made so far where they write an output. */
export function cutterOf(where: string, tensors: Tensor[]) {
  const counts = countsOf(where, tensors);
  const closing = new Set<TensorId>();
  const declare = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;

  const taken = (): readonly AnyNode[] => {
    const nodes = counts.taken();
    for (const node of nodes) if (node.outputs.some((id) => closing.has(id))) CLOSING.add(node);
    return nodes;
  };
  const cutter = {
    counts: { ...counts, taken },
    /** The node made last takes open tensors as they are. */
    close(): void {
      closing.add((tensors.length - 1) as TensorId);
    },
    constant: ({ dtype, quantization }: Tensor, data: Uint8Array): TensorId =>
      declare({ name: "", dtype, shape: [], data, ...(quantization && { quantization }) }),
    copyOf: ({ dtype, quantization }: Tensor): TensorId =>
      declare({ name: "", dtype, shape: [], ...(quantization && { quantization }) }),
    /** An element as an int32 scalar. */
    scalar(element: Element): TensorId {
      if (typeof element === "number") return counts.int(element);
      const { shape, dtype } = tensors[element.id] as Tensor;
      if (shape.length === 0 && dtype === "int32") return element.id;
      const vector = counts.append("reshape", [element.id, counts.ints([1], [-1])], { shape: [-1] }, dtype);
      const one = counts.append("gather", [vector, counts.int(element.at)], each, dtype);
      return dtype === "int32" ? one : counts.append("cast", [one], {}, "int32");
    },
    /**
     * A computed size: the rows of an open tensor, or what is from 0 and at most one more than there is room for. One that has been
     * computed before, with room for at most `most`, is taken again, so that tensors of this size are known to fit.
     */
    size(element: Element & object, room: number, most = room): Size {
      const owner = tensors.find(({ open, rows }) => open === "rows" && rows === element.id);
      if (owner !== undefined) return { id: element.id, room: owner.shape[0] as number };
      const known = SIZES.get(tensors) ?? new Map<string, Size>();
      const key = `${element.id} ${element.at}`;
      const before = known.get(key);
      if (before !== undefined && (before.room === room || before.room <= most)) return before;
      const asked = limit(counts.two("maximum", cutter.scalar(element), counts.int(0)), room, tensors);
      const size = { id: counts.two("minimum", asked, counts.int(room + 1)), room };
      if (!GUARDED.has(tensors)) SIZES.set(tensors, known.set(key, size));
      return size;
    },
    /** An open tensor with `value` in the elements that are not there, as one that is closed. */
    masked(id: TensorId, x: Tensor, value: number): TensorId {
      const room = x.shape[0] as number;
      const column = [room, ...x.shape.slice(1).fill(1)];
      const places = counts.append("reshape", [counts.places(room)], { shape: column });
      const isThere = counts.append("less", [places, counts.rowsOf(id)], {}, "bool");
      const whole = counts.append(
        "selectV2",
        [isThere, id, cutter.constant(x, bytesOfNumbers(x.dtype, [value]))],
        {},
        x,
      );
      closing.add(whole);
      return whole;
    },
    /** The first rows of x. */
    rows(x: TensorId, inner: number, { id }: Size, output: TensorId): readonly AnyNode[] {
      tensors[output] = { ...(tensors[output] as Tensor), rows: id };
      counts.append("prefix", [x, counts.times(id, inner)], {}, "int32", output);
      return taken();
    },
    /** The first places of one axis of x, which has this shape. */
    along(x: TensorId, shape: readonly number[], axis: number, { id }: Size, output: TensorId): readonly AnyNode[] {
      const axes = shape.map((size, d) => ({
        size: d === axis ? id : counts.int(size),
        place: (at: TensorId) => at,
        stride: elementCount(shape.slice(d + 1)),
      }));
      return cutter.flat(x, elementCount(shape), axes, elementCount(shape), output);
    },
    /** The first elements of x, as many as the product of the sizes, for which there is room in `shape`; `most` where there may not be. */
    flatly(
      x: TensorId,
      shape: readonly number[],
      sizes: readonly TensorId[],
      output: TensorId,
      most?: number,
    ): readonly AnyNode[] {
      const whole = counts.append("reshape", [x], { shape }, tensors[output] as Tensor);
      const total = totalOf(sizes, elementCount(shape));
      if (most !== undefined) limit(total, most, tensors);
      counts.append("prefix", [whole, total], { open: "length" }, "int32", output);
      return taken();
    },
    /** Elements of x, which has `all`, place by place of computed sizes. */
    flat(
      x: TensorId,
      all: number,
      axes: readonly Axis[],
      room: number,
      output: TensorId,
      most?: number,
    ): readonly AnyNode[] {
      const like = tensors[output] as Tensor;
      const places = counts.places(room);
      let rest = places;
      let from = counts.times(places, 0);
      for (const { size, place, stride } of [...axes].reverse()) {
        const divisor = counts.two("maximum", size, counts.int(1));
        const at = place(counts.two("floorMod", rest, divisor));
        rest = counts.two("floorDiv", rest, divisor);
        if (at !== undefined) from = counts.two("add", from, counts.times(at, stride));
      }
      const flat = counts.append("reshape", [x], { shape: [-1] }, like);
      const found = counts.append("gather", [flat, counts.within(from, all)], each, like);
      const shape = [room, ...axes.slice(1).map(() => 1)];
      return cutter.flatly(
        found,
        shape,
        axes.map(({ size }) => size),
        output,
        most,
      );
    },
  };

  /** The product of the sizes, and at most one more than there is room for. */
  function totalOf(sizes: readonly TensorId[], room: number): TensorId {
    const most = declare({ name: "", dtype: "int64", shape: [], data: bytesOfNumbers("int64", [room + 1]) });
    const total = sizes.reduce<TensorId | undefined>((product, size) => {
      const own = counts.append("cast", [size], {}, "int64");
      const next = product === undefined ? own : counts.append("mul", [product, own], { activation: "none" }, "int64");
      return counts.append("minimum", [next, most], {}, "int64");
    }, undefined);
    return counts.append("cast", [total ?? most], {}, "int32");
  }
  return cutter;
}
