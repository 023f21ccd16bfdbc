/** Operators whose every output row is a sum of weighed input rows, image by image: the gradient is the same sum turned round. */
import type { OpKind, TensorId } from "../../../graph.ts";
import type { NodeView } from "../../../ops/types.ts";
import { elementCount } from "../../../tensor.ts";
import type { Gradient, Tape } from "./types.ts";

/** An input row and its weight. */
export type Term = readonly [row: number, weight: number];

export interface Mixture {
  readonly images: number;
  /** Rows of an image of the input. */
  readonly from: number;
  /** Floats of a row. */
  readonly width: number;
  /** What each row of an image of the output is the sum of. */
  readonly rows: readonly (readonly Term[])[];
}

/** y = the mixture of x, or y with it added. */
export function mix(tape: Tape, mixture: Mixture, x: number, y: number, accumulate: 0 | 1 = 0): void {
  const { images, from, width, rows } = mixture;
  const bytes = 4 * width;
  const terms = rows.flat();
  const starts = new Uint32Array(rows.length + 1);
  for (const [i, list] of rows.entries()) starts[i + 1] = (starts[i] as number) + list.length;
  const placed = (values: Uint32Array) => tape.constant(new Float32Array(values.buffer));
  const params = {
    ...{ x, y, rows: rows.length, bytes, xStride: from * bytes, yStride: rows.length * bytes, accumulate, images },
    starts: placed(starts),
    columns: placed(Uint32Array.from(terms, ([row]) => row * bytes)),
    weights: tape.constant(Float32Array.from(terms, ([, weight]) => weight)),
  };
  tape.call({ kernel: "copyRowsF32", params }, { elements: images * width * Math.max(terms.length, rows.length) });
}

/** The way back: each input row gets what it gave, by the same weights. */
export function turned({ images, from, width, rows }: Mixture): Mixture {
  const back = Array.from({ length: from }, (): Term[] => []);
  for (const [i, list] of rows.entries()) for (const [row, weight] of list) back[row]?.push([i, weight]);
  return { images, from: rows.length, width, rows: back };
}

/** The gradient of an operator that mixes the rows of its input `source`. */
export function mixing<K extends OpKind>(mixtureOf: (view: NodeView<K>) => Mixture, source = 0): Gradient<K> {
  return {
    forward(node, view, tape) {
      const [x, y] = [tape.value(node.inputs[source] as TensorId), tape.value(node.outputs[0] as TensorId)];
      mix(tape, mixtureOf(view), x, y);
    },
    backward(node, view, tape) {
      const target = tape.give(node.inputs[source] as TensorId);
      if (target === undefined) return;
      const dy = tape.gradient(node.outputs[0] as TensorId);
      mix(tape, turned(mixtureOf(view)), dy, target.address, target.accumulate);
    },
  };
}

/** How many trailing dimensions a predicate holds for. */
export function trailing(rank: number, holds: (d: number) => boolean): number {
  let d = rank;
  while (d > 1 && holds(d - 1)) d--;
  return rank - d;
}

/** All places of a shape, in order. */
export function places(shape: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: elementCount(shape) }, (_, i) => {
    let rest = i;
    return shape
      .map((size) => size)
      .reverse()
      .map((size) => {
        const at = rest % size;
        rest = Math.floor(rest / size);
        return at;
      })
      .reverse();
  });
}

/** The number of a place in a shape. */
export const placeOf = (shape: readonly number[], at: readonly number[]): number =>
  at.reduce((sum, i, d) => sum * (shape[d] as number) + i, 0);

/**
 * The tensor of shape `from` repeated to the shape `to`, times `factor`. Leading dimensions that `from` lacks have size 1. An
 * image is all that follows the first dimension, where both have the same first one.
 */
export function spreading(from: readonly number[], to: readonly number[], factor = 1): Mixture {
  const own = [...Array.from({ length: to.length - from.length }, () => 1), ...from];
  const kept = trailing(to.length, (d) => own[d] === to[d]);
  const batched = own[0] === to[0];
  const first = batched ? 1 : 0;
  const outer = to.length - kept;
  const [inner, spread] = [own.slice(first, outer), to.slice(first, outer)];
  return {
    images: batched ? (to[0] as number) : 1,
    from: elementCount(inner),
    width: elementCount(to.slice(Math.max(outer, first))),
    rows: places(spread).map((at) => [
      [
        placeOf(
          inner,
          at.map((i, d) => (inner[d] === 1 ? 0 : i)),
        ),
        factor,
      ],
    ]),
  };
}
