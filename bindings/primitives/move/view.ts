import { dimensions } from "../../tensor.ts";
import { denseStrides } from "../broadcast.ts";

/** Elements of a tensor in some order: `offset + Σ index[d] · strides[d]`, counted in elements; strides may be negative or 0. */
export interface View {
  readonly offset: number;
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
}

/** All of a tensor, row by row. */
export function whole(shape: readonly number[]): View {
  return { offset: 0, sizes: shape, strides: denseStrides(shape) };
}

/** Along one axis `count` elements from `begin` on, `step` apart; a negative step walks backwards. */
export function cut(view: View, axis: number, begin: number, count: number, step = 1): View {
  const stride = view.strides[axis] as number;
  return {
    offset: view.offset + begin * stride,
    sizes: replaced(view.sizes, axis, 1, count),
    strides: replaced(view.strides, axis, 1, stride * step),
  };
}

/** One axis as two, the inner of size `inner`, which divides it. */
export function split(view: View, axis: number, inner: number): View {
  const size = view.sizes[axis] as number;
  const stride = view.strides[axis] as number;
  return {
    offset: view.offset,
    sizes: replaced(view.sizes, axis, 1, size / inner, inner),
    strides: replaced(view.strides, axis, 1, stride * inner, stride),
  };
}

/** Axis d of the result is axis order[d] of the view. */
export function reorder(view: View, order: readonly number[]): View {
  return {
    offset: view.offset,
    sizes: order.map((axis) => view.sizes[axis] as number),
    strides: order.map((axis) => view.strides[axis] as number),
  };
}

/** A new axis that repeats everything `count` times. */
export function repeat(view: View, axis: number, count: number): View {
  return {
    offset: view.offset,
    sizes: replaced(view.sizes, axis, 0, count),
    strides: replaced(view.strides, axis, 0, 0),
  };
}

/** The diagonals of the innermost matrices of a tensor. */
export function diagonals(shape: readonly number[]): View {
  const { offset, sizes, strides } = whole(shape);
  const [height, width] = dimensions(shape.slice(-2), 2);
  const outer = shape.length - 2;
  const length = Math.min(height, width);
  return { offset, sizes: replaced(sizes, outer, 2, length), strides: replaced(strides, outer, 2, width + 1) };
}

/** A copy of the list in which `dropped` entries from `at` on have become these. */
export function replaced(list: readonly number[], at: number, dropped: number, ...values: number[]): readonly number[] {
  return [...list.slice(0, at), ...values, ...list.slice(at + dropped)];
}
