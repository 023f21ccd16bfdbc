/** How channels go through what only changes shapes, as groups of channels that are brought to one size do. */
import { type TensorId, tensorOf } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Walk } from "./walk.ts";

/** Dimensions in another order; channels that stay anyway are those of the last one again. */
export function throughTranspose(walk: Walk, x: TensorId, order: readonly number[], y: TensorId): boolean {
  const { sets, of, give, axisOf } = walk;
  const axis = order.indexOf(axisOf(x));
  if (axis < 0 || of(x).every(sets.frozen)) return false;
  give(y, of(x), axis);
  return true;
}

export function throughShape(walk: Walk, x: TensorId, y: TensorId): boolean {
  const { graph, axisOf } = walk;
  const isLast = axisOf(x) === tensorOf(graph, x).shape.length - 1;
  return (isLast && throughJoin(walk, x, y)) || throughGroups(walk, x, y);
}

/** Trailing dimensions joined into one repeat the channels. */
function throughJoin({ graph, of, give }: Walk, x: TensorId, y: TensorId): boolean {
  const sizes = tensorOf(graph, x).shape;
  const width = tensorOf(graph, y).shape.at(-1) ?? 1;
  const from = of(x);
  let joined = 1;
  for (let d = sizes.length - 1; d >= 0 && joined <= width; d--) {
    joined *= sizes[d] as number;
    if (joined !== width) continue;
    give(
      y,
      Array.from({ length: joined }, (_, i) => from[i % from.length] as number),
    );
    return true;
  }
  return false;
}

/**
 * What follows a dimension joined to it, as the places of each channel, repeats each channel; a dimension that is split has groups of
 * channels, which go as wholes.
 */
function throughGroups({ graph, sets, of, give, axisOf, widthOf }: Walk, x: TensorId, y: TensorId): boolean {
  const [from, to] = [tensorOf(graph, x).shape, tensorOf(graph, y).shape];
  const [axis, width] = [axisOf(x), widthOf(x)];
  const before = elementCount(from.slice(0, axis));
  const fits = (size: number) => size > 1 && (size % width === 0 || width % size === 0);
  const at = to.findIndex((size, d) => elementCount(to.slice(0, d)) === before && fits(size));
  if (at < 0 || of(x).every(sets.frozen)) return false;
  const [classes, size] = [of(x), to[at] as number];
  const firstOf = (i: number, each: number) => classes[Math.floor(i / each) * each] as number;
  if (size < width) {
    const each = width / size;
    sets.join(
      classes.map((_, i) => firstOf(i, each)),
      classes,
    );
    give(
      y,
      Array.from({ length: size }, (_, g) => classes[g * each] as number),
      at,
    );
    return true;
  }
  const times = size / width;
  if (elementCount(from.slice(axis + 1)) % times !== 0) return false;
  give(
    y,
    Array.from({ length: size }, (_, i) => classes[Math.floor(i / times)] as number),
    at,
  );
  return true;
}
