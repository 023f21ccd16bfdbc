/** Unique: values each once, by sorting them. */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { BOOL, INT32, NONE } from "../types.ts";
import { placesOf } from "./found.ts";
import { axisOf, cast, reshapedTo, typeOf } from "./move.ts";
import { sorted } from "./select.ts";

/**
 * The values in rising order or in that of their first places; where each stands first, which of them each of x is, and how
 * often each stands. All of x, or a vector along its axis; floats that are no numbers are not told apart.
 */
function unique(n: OnnxNode): void {
  const x = n.input(0);
  const count = elementCount(x.shape);
  if (n.attribute("axis") !== undefined && (x.shape.length !== 1 || axisOf(n, n.int("axis", 0), 1) !== 0))
    n.refuse("no axis, or a vector", listText(x.shape));
  if (count === 0) n.refuse("at least one element", "none");
  const add = (...[kind, inputs, attributes, types]: [Parameters<typeof n.b.add>[0], TensorId[], object, object[]]) =>
    n.add(kind, inputs, attributes as never, types as never) as readonly TensorId[];
  const one = (...given: Parameters<typeof add>) => add(...given)[0] as TensorId;
  const like = (id: TensorId) => [typeOf(n, id)];
  const take = (id: TensorId, at: TensorId) => one("gather", [id, at], { axis: 0, batchDims: 0 }, like(id));
  const part = (id: TensorId, begin: number, size: number) =>
    one("slice", [id, n.b.integers([begin]), n.b.integers([size])], {}, like(id));
  const join = (a: TensorId, b: TensorId) => one("concat", [a, b], { axis: 0, ...NONE }, like(b));
  const vector = reshapedTo(n, n.plain(x), [count]);
  const [values, order] = sorted(n, vector);
  /** Puts what stands in sorted order to where x has it. */
  const back = (id: TensorId) =>
    one("scatterNd", [reshapedTo(n, order, [count, 1]), id, n.b.integers([count])], {}, like(id));

  const changes = one("notEqual", [part(values, 0, count - 1), part(values, 1, count - 1)], {}, [...BOOL]);
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
  const rank = ranked(marks);
  // rows after the last are 0, and the first is 0 itself: what follows a start and is 0 is the end
  const after = join(part(starts, 1, count - 1), n.b.integers([0]));
  const isEnd = one("equal", [after, n.b.integers([0])], {}, [...BOOL]);
  const ends = one("selectV2", [isEnd, n.b.integers([count]), after], {}, [...INT32]);
  const times = one("sub", [ends, starts], NONE, [...INT32]);

  const isSorted = n.int("sorted", 1) !== 0;
  const firsts = take(order, starts);
  const flags = isSorted ? undefined : back(marks);
  const places = flags === undefined ? undefined : cast(n, reshapedTo(n, placesOf(n, flags)[0], [count]), "int32");
  const open = { count: length, inner: 1 };
  const set = (i: number, make: () => TensorId, isOpen: boolean) => {
    if (!n.outputs[i]) return;
    const made = make();
    const plain = i === 0 ? made : cast(n, made, "int64");
    if (isOpen) n.set(i, { shape: [count], twins: { plain }, open });
    else n.setPlain(i, plain);
  };
  const inverse = back(rank);
  set(0, () => (places === undefined ? take(values, starts) : take(vector, places)), true);
  set(1, () => places ?? firsts, true);
  set(2, () => (flags === undefined ? inverse : back(take(ranked(flags), take(firsts, rank)))), false);
  set(3, () => (places === undefined ? times : take(times, take(inverse, places))), true);
}

export const UNIQUE: Conversions = { Unique: unique };
