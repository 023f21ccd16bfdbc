/** One of several tensors, by a number that a run computes. */
import type { TensorId } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { cutterOf } from "./cutting.ts";

const gathered = { axis: 0, batchDims: 0 };

/** Functions that make nodes; `taken` gives those made. */
export function chooserOf(where: string, tensors: Tensor[]) {
  const cutter = cutterOf(where, tensors);
  const { counts } = cutter;
  const tensorOf = (id: TensorId) => tensors[id] as Tensor;
  const shaped = (x: TensorId, shape: readonly number[], output?: TensorId) =>
    counts.append("reshape", [x, counts.ints([shape.length], shape)], { shape }, tensorOf(x), output);
  const joined = (parts: readonly TensorId[], like: Tensor | "bool") =>
    parts.length === 1 ? (parts[0] as TensorId) : counts.append("concat", parts, { axis: 0, activation: "none" }, like);

  return {
    taken: counts.taken,
    /** 1 where the condition holds. */
    asIndex: (condition: TensorId) => counts.append("cast", [shaped(condition, [])], {}),
    /** How many conditions hold before one that does not. */
    firstFalse(conditions: readonly TensorId[]): TensorId {
      const end = (tensors.push({ name: "", dtype: "bool", shape: [1], data: Uint8Array.of(0) }) - 1) as TensorId;
      const all = joined([...conditions.map((id) => shaped(id, [1])), end], "bool");
      return counts.append("argMin", [all, counts.int(0)]);
    },
    /**
     * The output is the candidate of this number, the only one where there is no number. Their shapes may differ: then its rows are
     * open, or its length where they differ elsewhere. A number behind the last one is more than there is room for.
     */
    choose(index: TensorId | undefined, candidates: readonly TensorId[], output: TensorId): void {
      const [first] = candidates as readonly [TensorId];
      const shapes = candidates.map((id) => tensorOf(id).shape);
      const [shape = []] = shapes;
      const isSame = shapes.every((each) => `${each}` === `${shape}`);
      const isOne =
        index === undefined || candidates.every((id) => id === first) || (isSame && elementCount(shape) === 0);
      if (isOne) {
        shaped(first, shape, output);
        return;
      }
      const like = tensorOf(first);
      const sizes = shapes.map(elementCount);
      let all = 0;
      const starts = sizes.map((size) => {
        all += size;
        return all - size;
      });
      const flat = candidates.filter((_, i) => (sizes[i] as number) > 0).map((id) => shaped(id, [-1]));
      const pool = joined(flat, like);
      const ofIndex = (values: readonly number[]) =>
        counts.append("gather", [counts.ints([values.length], values), index], gathered);
      const room = Math.max(...sizes);
      const places = counts.two("add", counts.places(room), ofIndex([...starts, 0]));
      const found = counts.append("gather", [pool, counts.within(places, all)], gathered, like);
      if (isSame) {
        counts.append("reshape", [found, counts.ints([shape.length], shape)], { shape }, like, output);
        return;
      }
      const [, ...rest] = shape;
      const inner = elementCount(rest);
      const isRows =
        shape.length > 0 &&
        inner > 0 &&
        shapes.every((each) => each.length === shape.length && `${each.slice(1)}` === `${rest}`);
      const wide = isRows ? [room / inner, ...rest] : [room, ...rest.map(() => 1)];
      const whole = counts.append("reshape", [found, counts.ints([wide.length], wide)], { shape: wide }, like);
      const lengths = [...sizes, room + inner].map((size) => (isRows ? size / inner : size));
      const length = ofIndex(isRows ? lengths : [...sizes, room + 1]);
      if (isRows) tensors[output] = { ...tensorOf(output), rows: length };
      counts.append(
        "prefix",
        [whole, isRows ? counts.times(length, inner) : length],
        isRows ? {} : { open: "length" },
        "int32",
        output,
      );
    },
  };
}
