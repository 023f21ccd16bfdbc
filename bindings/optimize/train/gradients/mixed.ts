/** Resizing, padding, cutting, means and sums of any axes: operators that mix rows. */

import { ensure } from "../../../errors.ts";
import type { OpKind } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { type Axis, nearestAxis, realAxis } from "../../../primitives/resize/resize.ts";
import { dimensions, elementCount, typedCopy } from "../../../tensor.ts";
import { type Mixture, mixing, placeOf, places, type Term, trailing } from "./mixture.ts";

/** Whole numbers of a constant input. */
function numbersOf(view: NodeView<OpKind>, input: number): readonly number[] {
  const { dtype, data } = inputOf(view, input);
  ensure(data !== undefined, "UNSUPPORTED", () => ({
    where: view.where,
    expected: "constant parameters to train",
    received: `input ${input} computed`,
  }));
  return Array.from(typedCopy(dtype, data), Number);
}

const termsOf = ({ first, second, fraction }: Axis[number]): readonly Term[] =>
  fraction === 0
    ? [[first, 1]]
    : [
        [first, 1 - fraction],
        [second, fraction],
      ];

function resizing(view: NodeView<"resizeBilinear" | "resizeNearestNeighbor">, axis: typeof realAxis): Mixture {
  const [images, inH, inW, width] = dimensions(inputOf(view, 0).shape, 4);
  const [, outH, outW] = dimensions(outputOf(view).shape, 4);
  const [down, across] = [axis(inH, outH, view.attributes), axis(inW, outW, view.attributes)];
  const rows = down.flatMap((y) =>
    across.map((x) =>
      termsOf(y).flatMap(([row, a]) => termsOf(x).map(([column, b]): Term => [row * inW + column, a * b])),
    ),
  );
  return { images, from: inH * inW, width, rows };
}

export const resizeBilinear = mixing<"resizeBilinear">((view) => resizing(view, realAxis));
export const resizeNearestNeighbor = mixing<"resizeNearestNeighbor">((view) => resizing(view, nearestAxis));

/** Rows of the output that stand at `offset` rows and columns from those of the input; nothing outside of it. */
function shifted(view: NodeView<OpKind>, offset: readonly number[]): Mixture {
  const [x, y] = [inputOf(view, 0).shape, outputOf(view).shape];
  const [count = 1] = x;
  // where the first dimension is cut, as a sequence before its samples is, all is one image
  const first = count === y[0] && offset[0] === 0 ? 1 : 0;
  const outer = x.length - trailing(x.length, (d) => x[d] === y[d] && offset[d] === 0);
  const [from, to] = [x.slice(first, outer), y.slice(first, outer)];
  return {
    images: first === 1 ? count : 1,
    from: elementCount(from),
    width: elementCount(x.slice(outer)),
    rows: places(to).map((at): readonly Term[] => {
      const own = at.map((i, d) => i + (offset[d + first] as number));
      return own.every((i, d) => i >= 0 && i < (from[d] as number)) ? [[placeOf(from, own), 1]] : [];
    }),
  };
}

export const pad = mixing<"pad">((view) => {
  const amounts = numbersOf(view, 1);
  return shifted(
    view,
    inputOf(view, 0).shape.map((_, d) => -(amounts[2 * d] as number)),
  );
});
export const slice = mixing<"slice">((view) => shifted(view, numbersOf(view, 1)));

/** Sums over axes, each number times `weight`. */
function reducing(view: NodeView<"mean" | "sum">, weightOf: (count: number) => number): Mixture {
  const { shape } = inputOf(view, 0);
  const rank = shape.length;
  const axes = new Set(numbersOf(view, 1).map((axis) => (axis + rank) % rank));
  const first = axes.has(0) ? 0 : 1;
  const outer = rank - trailing(rank, (d) => !axes.has(d));
  const from = shape.slice(first, outer);
  const to = from.map((size, d) => (axes.has(d + first) ? 1 : size));
  const weight = weightOf(elementCount(from) / elementCount(to));
  const rows = Array.from({ length: elementCount(to) }, (): Term[] => []);
  for (const [row, at] of places(from).entries())
    rows[
      placeOf(
        to,
        at.map((i, d) => (axes.has(d + first) ? 0 : i)),
      )
    ]?.push([row, weight]);
  const images = elementCount(shape.slice(0, first));
  return { images, from: elementCount(from), width: elementCount(shape.slice(outer)), rows };
}

export const sum = mixing<"sum">((view) => reducing(view, () => 1));
export const meanOfAxes = mixing<"mean">((view) => reducing(view, (count) => 1 / count));
