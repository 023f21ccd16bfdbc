import { denseStrides, type Six, six } from "../broadcast.ts";

/** Layout of a padding: rows of `bytes` bytes of x go to `offset` plus the strides along five sizes, the last of six. */
export interface Placement {
  readonly offset: number;
  readonly bytes: number;
  readonly sizes: Six;
  readonly strides: Six;
}

/** Where x lies inside y, which has before[d] and after[d] more elements; up to six dimensions, five of them loops. */
export function placementOf(
  shape: readonly number[],
  before: readonly number[],
  padded: readonly number[],
  size: number,
): Placement {
  let inner = shape.length;
  let bytes = size;
  while (inner > 0) {
    inner--;
    bytes *= shape[inner] as number;
    if (shape[inner] !== padded[inner]) break;
  }
  const strides = denseStrides(padded).map((stride) => stride * size);
  return {
    offset: before.reduce((sum, n, d) => sum + n * (strides[d] as number), 0),
    bytes,
    sizes: six(shape.slice(0, inner), 1),
    strides: six(strides.slice(0, inner), 0),
  };
}
