/** Slices whose starts or ends are computed. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import { numbersOf, type OnnxNode } from "../convert.ts";
import type { Value } from "../layout.ts";
import { BOOL, INT64, NONE } from "../types.ts";
import { placesOf } from "./found.ts";
import { axisOf, entries, longs, reshapedTo, typeOf } from "./move.ts";

/** A range whose beginning is computed, of the size that the graph says its output has. */
export function sliceFrom(n: OnnxNode): void {
  const x = n.input(0);
  const sizes = n.scope.declared(n.outputs[0] ?? "");
  const rank = x.shape.length;
  const isKnown = sizes?.length === rank && sizes.every((size) => typeof size === "number" && size >= 0);
  const steps = n.numbers(4) ?? [];
  if (!isKnown || steps.some((step) => step !== 1)) return sliceMasked(n, x, steps);
  const { axes, limits } = cutsOf(n, x);
  const starts = fromBeginning(n, n.plain(n.input(1)), limits);
  const zero = longs(n, [0]);
  const int64 = INT64;
  const [all] = n.add("concat", [starts, zero], { axis: 0, activation: "none" }, int64);
  const places = x.shape.map((_, d) => (axes.includes(d) ? axes.indexOf(d) : axes.length));
  const [begin] = n.add("gather", [all, n.b.integers(places)], { axis: 0, batchDims: 0 }, int64);
  const id = n.plain(x);
  const inputs = [id, begin, n.b.integers(sizes as readonly number[])];
  n.setPlain(0, n.add("slice", inputs, {}, [typeOf(n, id)], n.outputs[0])[0] as TensorId);
}

/** The axes that are cut, one for each start, the first ones where none are named, and how long they are. */
function cutsOf(n: OnnxNode, { shape }: Value): { readonly axes: readonly number[]; readonly limits: TensorId } {
  const rank = shape.length;
  const [count = 0] = n.input(1).shape;
  const named = n.numbers(3);
  if (count > rank || (named !== undefined && named.length !== count))
    n.refuse(`starts of ${named?.length ?? `at most ${rank}`} axes`, `${count}`);
  const axes = (named ?? Array.from({ length: count }, (_, i) => i)).map((axis) => axisOf(n, axis, rank));
  const sizes = axes.map((axis) => shape[axis] as number);
  return { axes, limits: longs(n, sizes) };
}

/** The elements that lie in all ranges, whose number only a run can tell. */
function sliceMasked(n: OnnxNode, x: Value, steps: readonly number[]): void {
  const rank = x.shape.length;
  if (steps.some((step) => step < 1) || rank === 0) n.refuse("constant starts and ends, or steps from 1", "others");
  const { axes, limits } = cutsOf(n, x);
  const [starts, ends] = [1, 2].map((i) => fromBeginning(n, n.plain(n.input(i)), limits));
  const and = (a: TensorId, b: TensorId) => n.add("logicalAnd", [a, b], {}, BOOL)[0] as TensorId;
  let mask: TensorId = n.b.constant("bool", x.shape, new Uint8Array(entries(n, elementCount(x.shape))).fill(1));
  for (const [i, axis] of axes.entries()) {
    const size = x.shape[axis] as number;
    const shape = x.shape.map((_, d) => (d === axis ? size : 1));
    const places = longs(
      n,
      Array.from({ length: entries(n, size) }, (_, at) => at),
      shape,
    );
    const one = (list: TensorId | undefined) =>
      n.add("slice", [list, n.b.integers([i]), n.b.integers([1])], {}, INT64)[0] as TensorId;
    const zero = longs(n, [0], []);
    const start = n.add("maximum", [one(starts), zero], {}, INT64)[0] as TensorId;
    const inside = and(
      n.add("greaterEqual", [places, start], {}, BOOL)[0] as TensorId,
      n.add("less", [places, one(ends)], {}, BOOL)[0] as TensorId,
    );
    mask = and(mask, inside);
    const step = steps[i] ?? 1;
    if (step === 1) continue;
    const by = longs(n, [step], []);
    const from = n.add("sub", [places, start], NONE, INT64)[0];
    const rest = n.add("floorMod", [from, by], {}, INT64)[0];
    mask = and(mask, n.add("equal", [rest, zero], {}, BOOL)[0] as TensorId);
  }
  const all = [elementCount(x.shape)];
  const [rows, found] = placesOf(n, reshapedTo(n, mask, all));
  const flat = reshapedTo(n, n.plain(x), all);
  const inputs = [flat, reshapedTo(n, rows, all)];
  const [y] = n.add("gather", inputs, { axis: 0, batchDims: 0 }, [typeOf(n, flat)]);
  const plain = reshapedTo(n, y as TensorId, x.shape);
  n.set(0, { shape: x.shape, twins: { plain }, open: { count: found, inner: 1 } });
}

/** Indices, which may count from the end, as int64 from the beginning. */
export function fromBeginning(n: OnnxNode, id: TensorId, limit: TensorId): TensorId {
  const int64 = INT64;
  const tensor = n.b.tensor(id);
  const index = tensor.dtype === "int64" ? id : (n.add("cast", [id], {}, int64)[0] as TensorId);
  if (tensor.data !== undefined && numbersOf(tensor).every((value) => value >= 0)) return index;
  const zero = longs(n, [0], []);
  const isNegative = n.add("less", [index, zero], {}, BOOL)[0];
  const moved = n.add("add", [index, limit], NONE, int64)[0];
  return n.add("selectV2", [isNegative, moved, index], {}, int64)[0] as TensorId;
}
