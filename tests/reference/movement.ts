/** Transposing, padding and joining, element by element. */
import { broadcastIndex, indices } from "./binary.ts";

/** Elements are `size` bytes. */
export function transpose(x: Uint8Array, shape: readonly number[], order: readonly number[], size: number): Uint8Array {
  const y: number[] = [];
  for (const index of indices(order.map((axis) => shape[axis] as number))) {
    const source = shape.map((_, axis) => index[order.indexOf(axis)] as number);
    const at = broadcastIndex(shape, source) * size;
    y.push(...x.subarray(at, at + size));
  }
  return Uint8Array.from(y);
}

/** `paddings[d]` is [before, after]; `value` one element. */
export function pad(
  x: Uint8Array,
  shape: readonly number[],
  paddings: readonly (readonly [number, number])[],
  value: Uint8Array,
): Uint8Array {
  const y: number[] = [];
  const size = value.length;
  const padded = shape.map((n, d) => n + (paddings[d]?.[0] ?? 0) + (paddings[d]?.[1] ?? 0));
  for (const index of indices(padded)) {
    const source = index.map((k, d) => k - (paddings[d]?.[0] ?? 0));
    const inside = source.every((k, d) => k >= 0 && k < (shape[d] as number));
    const at = broadcastIndex(shape, source) * size;
    y.push(...(inside ? x.subarray(at, at + size) : value));
  }
  return Uint8Array.from(y);
}

/** Joins tensors along `axis`. */
export function concat(
  parts: readonly { readonly data: Uint8Array; readonly shape: readonly number[] }[],
  axis: number,
  size: number,
): Uint8Array {
  const y: number[] = [];
  const first = parts[0]?.shape ?? [];
  const total = parts.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
  for (const index of indices(first.map((n, d) => (d === axis ? total : n)))) {
    let k = index[axis] as number;
    for (const { data, shape } of parts) {
      if (k >= 0 && k < (shape[axis] as number)) {
        const at =
          broadcastIndex(
            shape,
            index.map((i, d) => (d === axis ? k : i)),
          ) * size;
        y.push(...data.subarray(at, at + size));
      }
      k -= shape[axis] as number;
    }
  }
  return Uint8Array.from(y);
}
