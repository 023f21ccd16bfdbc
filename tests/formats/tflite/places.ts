/** Positions of elements in shapes, counted by hand. */

export const count = (shape: readonly number[]) => shape.reduce((n, size) => n * size, 1);

/** The position of element i in each dimension. */
export function placeOf(i: number, shape: readonly number[]): readonly number[] {
  const place: number[] = [];
  for (const size of [...shape].reverse()) {
    place.unshift(i % size);
    i = Math.floor(i / size);
  }
  return place;
}
