/** Sequences whose lengths are known when planned, and optionals: lists of values, which no node of the graph sees. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import type { Value } from "../layout.ts";
import { axisIn, longs, reshapedTo, truth, typeOf } from "./move.ts";

const NONE: readonly Value[] = [];

/** Gives output 0 a list. */
const setItems = (n: OnnxNode, items: readonly Value[]): void =>
  n.set(0, { shape: [], twins: {}, dtype: "float32", items });

const itemsOf = (n: OnnxNode): readonly Value[] => n.input(0).items ?? n.refuse("a sequence", "a tensor");

/** A place in a list, from −length on; `end` where the input is absent. */
function placeOf(n: OnnxNode, i: number, length: number, end: number): number {
  const [given = end] = n.numbers(i) ?? [];
  const place = given < 0 ? given + length : given;
  if (place < 0 || place > end) n.refuse(`a place among ${length}`, `${given}`);
  return place;
}

const setItem = (n: OnnxNode, { shape, twins, dtype, items }: Value): void =>
  n.set(0, { shape, twins, dtype, ...(items && { items }) });

/** Pieces of x along an axis, of the sizes that are said, or of one each, whose axis may go away. */
function split(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const axis = axisIn(n, 0, rank);
  const size = x.shape[axis] as number;
  const given = n.numbers(1);
  const isOne = n.inputs[1] !== undefined && n.input(1).shape.length === 0;
  const each = isOne ? n.number(1, 1) : 1;
  if (each < 1 || size > 4096 * each) n.refuse("at most 4096 pieces", `${size} by ${each}`);
  const count = Math.ceil(size / each);
  const sizes = given && !isOne ? given : Array.from({ length: count }, (_, i) => Math.min(each, size - i * each));
  const id = n.plain(x);
  const types = sizes.map(() => typeOf(n, id));
  const inputs = [id, n.b.integers(sizes), n.b.integers([axis], [])];
  const isGone = given === undefined && n.int("keepdims", 1) === 0;
  const shape = x.shape.filter((_, d) => d !== axis);
  const pieces = sizes.length === 0 ? [] : n.add("splitV", inputs, {}, types);
  setItems(
    n,
    pieces.map((piece) => asItem(n, isGone ? reshapedTo(n, piece, shape) : piece)),
  );
}

function asItem(n: OnnxNode, id: TensorId): Value {
  const { shape, dtype } = n.b.tensor(id);
  return { name: "", dtype, shape, twins: { plain: id } };
}

/** All of a list along an axis, or along a new one. */
function concat(n: OnnxNode): void {
  const items = itemsOf(n);
  const isNew = n.int("new_axis", 0) !== 0;
  const rank = (items[0]?.shape.length ?? n.refuse("a sequence that is not empty", "an empty one")) + (isNew ? 1 : 0);
  const axis = axisIn(n, 0, rank);
  const ids = items.map((item) => {
    const id = n.plain(item);
    return isNew ? reshapedTo(n, id, [...item.shape.slice(0, axis), 1, ...item.shape.slice(axis)]) : id;
  });
  const type = typeOf(n, ids[0] as TensorId);
  n.setPlain(0, n.add("concat", ids, { axis, activation: "none" }, [type], n.outputs[0])[0] as TensorId);
}

export const SEQUENCES: Conversions = {
  SequenceEmpty: (n) => setItems(n, NONE),
  SequenceConstruct: (n) =>
    setItems(
      n,
      n.inputs.map((_, i) => n.input(i)),
    ),
  SequenceInsert: (n) => {
    const items = itemsOf(n);
    const at = placeOf(n, 2, items.length, items.length);
    setItems(n, [...items.slice(0, at), n.input(1), ...items.slice(at)]);
  },
  SequenceErase: (n) => {
    const items = itemsOf(n);
    const at = placeOf(n, 1, items.length, items.length - 1);
    setItems(
      n,
      items.filter((_, i) => i !== at),
    );
  },
  SequenceAt: (n) => {
    const items = itemsOf(n);
    setItem(n, items[placeOf(n, 1, items.length, items.length - 1)] as Value);
  },
  SequenceLength: (n) => n.setPlain(0, longs(n, [itemsOf(n).length], [])),
  SplitToSequence: split,
  ConcatFromSequence: concat,
  Optional: (n) => setItem(n, n.input(0)),
  OptionalGetElement: (n) => setItem(n, n.input(0)),
  OptionalHasElement: (n) => n.setPlain(0, truth(n, n.inputs[0] !== undefined)),
};
