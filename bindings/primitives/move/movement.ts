import { denseStrides, mergeLoops, type Six, six } from "../broadcast.ts";

/** Layout of a transpose: sizes of y, and strides of x in bytes along them. */
export interface Permutation {
  readonly size: number;
  readonly sizes: Six;
  readonly strides: Six;
}

/** y[i₀…] = x[…] with y's dimension j being x's dimension `permutation[j]`; undefined beyond six merged dimensions. */
export function permutationOf(
  shape: readonly number[],
  permutation: readonly number[],
  size: number,
): Permutation | undefined {
  const strides = denseStrides(shape);
  const nest = mergeLoops(
    permutation.map((axis) => shape[axis] as number),
    [permutation.map((axis) => (strides[axis] as number) * size)],
  );
  if (nest.sizes.length > 6) return undefined;
  return { size, sizes: six(nest.sizes, 1), strides: six(nest.strides[0] as readonly number[], size) };
}

/** Runs a permutation on bytes. */
export function permuteBytes(x: Uint8Array, { size, sizes, strides }: Permutation): Uint8Array {
  const count = sizes.reduce((product, n) => product * n, 1);
  const y = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    let rest = i;
    let at = 0;
    for (let d = 5; d >= 0; d--) {
      at += (rest % (sizes[d] as number)) * (strides[d] as number);
      rest = Math.floor(rest / (sizes[d] as number));
    }
    y.set(x.subarray(at, at + size), i * size);
  }
  return y;
}

/** Layout of a padding: rows of `bytes` bytes of x go to `offset` plus the strides along five sizes. */
export interface Placement {
  readonly offset: number;
  readonly bytes: number;
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
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
    sizes: six(shape.slice(0, inner), 1).slice(1),
    strides: six(strides.slice(0, inner), 0).slice(1),
  };
}

/** Fills `count` elements with `value` and puts x into them. */
export function padBytes(x: Uint8Array, place: Placement, value: Uint8Array, count: number): Uint8Array {
  const y = new Uint8Array(count * value.length);
  for (let i = 0; i < y.length; i += value.length) y.set(value, i);
  const rows = place.bytes === 0 ? 0 : x.length / place.bytes;
  for (let row = 0; row < rows; row++) {
    let rest = row;
    let at = place.offset;
    for (let d = place.sizes.length - 1; d >= 0; d--) {
      at += (rest % (place.sizes[d] as number)) * (place.strides[d] as number);
      rest = Math.floor(rest / (place.sizes[d] as number));
    }
    y.set(x.subarray(row * place.bytes, (row + 1) * place.bytes), at);
  }
  return y;
}
