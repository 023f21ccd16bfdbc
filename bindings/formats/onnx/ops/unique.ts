/** Unique: values each once, by sorting them. */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { BOOL, INT32, NONE } from "../types.ts";
import { placesOf } from "./found.ts";
import { axisIn, cast, reshapedTo, typeOf } from "./move.ts";
import { sorted } from "./select.ts";

/** Parts that are compared element by element: each is a pass over all of them. */
const MOST_COLUMNS = 256;

/**
 * The values in rising order or in that of their first places; where each stands first, which of them each of x is, and how
 * often each stands. All of x, or parts along an axis, the first where they are wanted themselves; floats that are no numbers are not
 * told apart.
 */
function unique(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const axis = n.attribute("axis") === undefined || rank === 0 ? undefined : axisIn(n, 0, rank);
  const count = axis === undefined ? elementCount(x.shape) : (x.shape[axis] as number);
  const columns = elementCount(x.shape) / count;
  if (!(count * columns > 0)) n.refuse("at least one element", "none");
  if (columns > MOST_COLUMNS) n.refuse(`parts of at most ${MOST_COLUMNS} elements`, listText(x.shape));
  if (axis && n.outputs[0]) n.refuse("parts along the first axis", listText(x.shape));
  const add = (...[kind, inputs, attributes, types]: [Parameters<typeof n.b.add>[0], TensorId[], object, object[]]) =>
    n.add(kind, inputs, attributes as never, types as never) as readonly TensorId[];
  const one = (...given: Parameters<typeof add>) => add(...given)[0] as TensorId;
  const like = (id: TensorId) => [typeOf(n, id)];
  const take = (id: TensorId, at: TensorId) => one("gather", [id, at], { axis: 0, batchDims: 0 }, like(id));
  const join = (a: TensorId, b: TensorId) => one("concat", [a, b], { axis: 0, ...NONE }, like(b));
  const part = (id: TensorId, begin: number, size: number, first = 0, wide = 0) => {
    const [begins, sizes] = wide
      ? [
          [begin, first],
          [size, wide],
        ]
      : [[begin], [size]];
    return one("slice", [id, n.b.integers(begins), n.b.integers(sizes)], {}, like(id));
  };
  const isWide = columns > 1;
  const first = axis ? x.shape.map((_, d) => (d === 0 ? axis : d <= axis ? d - 1 : d)) : undefined;
  const moved = first ? permuted(n.b, n.where, n.plain(x), x.shape, first) : n.plain(x);
  const vector = reshapedTo(n, moved, isWide ? [count, columns] : [count]);
  /** The parts in rising order, by their last elements first: sorting keeps the order of equal ones. */
  const arranged = (): readonly [TensorId, TensorId] => {
    if (!isWide) return sorted(n, vector);
    let order: TensorId | undefined;
    for (let c = columns - 1; c >= 0; c--) {
      const keys = reshapedTo(n, part(vector, 0, count, c, 1), [count]);
      const [, places] = sorted(n, order === undefined ? keys : take(keys, order));
      order = order === undefined ? places : take(order, places);
    }
    return [take(vector, order as TensorId), order as TensorId];
  };
  const [values, order] = arranged();
  /** Puts what stands in sorted order to where x has it. */
  const back = (id: TensorId) =>
    one("scatterNd", [reshapedTo(n, order, [count, 1]), id, n.b.integers([count])], {}, like(id));

  const wide = isWide ? columns : 0;
  const pairs = [part(values, 0, count - 1, 0, wide), part(values, 1, count - 1, 0, wide)];
  const apart = one("notEqual", pairs, {}, [...BOOL]);
  const changes = isWide ? one("reduceAny", [apart, n.b.integers([1])], { keepDims: false }, [...BOOL]) : apart;
  const marks = join(n.b.integers([1]), cast(n, changes, "int32"));
  const ranked = (id: TensorId) =>
    one(
      "sub",
      [one("cumsum", [id, n.b.integers([0], [])], { exclusive: false, reverse: false }, [...INT32]), n.b.integers([1])],
      NONE,
      [...INT32],
    );
  const [rows, length] = placesOf(n, marks);
  const starts = cast(n, reshapedTo(n, rows, [count]), "int32");
  const ranks = ranked(marks);
  // rows after the last are 0, and the first is 0 itself: what follows a start and is 0 is the end
  const after = join(part(starts, 1, count - 1), n.b.integers([0]));
  const isEnd = one("equal", [after, n.b.integers([0])], {}, [...BOOL]);
  const ends = one("selectV2", [isEnd, n.b.integers([count]), after], {}, [...INT32]);
  const times = one("sub", [ends, starts], NONE, [...INT32]);

  const isSorted = n.int("sorted", 1) !== 0;
  const firsts = take(order, starts);
  const flags = isSorted ? undefined : back(marks);
  const places = flags === undefined ? undefined : cast(n, reshapedTo(n, placesOf(n, flags)[0], [count]), "int32");
  const shape = axis === undefined ? [count] : x.shape;
  const set = (i: number, make: () => TensorId, isOpen: boolean) => {
    if (!n.outputs[i]) return;
    const made = make();
    const plain = i === 0 ? made : cast(n, made, "int64");
    const own = i === 0 ? shape : [count];
    if (isOpen)
      n.set(i, {
        shape: own,
        twins: { plain: reshapedTo(n, plain, own) },
        open: { count: length, inner: i === 0 ? columns : 1 },
      });
    else n.setPlain(i, plain);
  };
  const inverse = back(ranks);
  set(0, () => (places === undefined ? take(values, starts) : take(vector, places)), true);
  set(1, () => places ?? firsts, true);
  set(2, () => (flags === undefined ? inverse : back(take(ranked(flags), take(firsts, ranks)))), false);
  set(3, () => (places === undefined ? times : take(times, take(inverse, places))), true);
}

export const UNIQUE: Conversions = { Unique: unique };
