/** Columns of an inverse that loses inputs: what it was at the start, less Σ v·vᵀ over what has gone. */

interface Inverse {
  /** Places, each of which is an input. */
  readonly n: number;
  /** H⁻¹ at the start `[size][size]`. */
  readonly start: Float64Array;
  readonly size: number;
  /** A vector over the places for each input that has gone. */
  readonly vectors: readonly Float64Array[];
  /** Input of each place. */
  readonly ids: Uint32Array;
}

/** The column of H⁻¹, over the places, of the input at one of them. */
export function columnOf({ n, start, size, vectors, ids }: Inverse, place: number): Float64Array {
  const column = new Float64Array(n);
  const row = (ids[place] as number) * size;
  for (let j = 0; j < n; j++) column[j] = start[row + (ids[j] as number)] as number;
  // Four at a time, and two of these: as much as is added to each element while it is at hand.
  let k = 0;
  for (; k + 8 <= vectors.length; k += 8) addEight(column, vectors, k, place);
  for (; k + 4 <= vectors.length; k += 4) addFour(column, vectors, k, place);
  for (; k < vectors.length; k++) {
    const v = vectors[k] as Float64Array;
    const share = v[place] as number;
    for (let j = 0; j < n; j++) column[j] = (column[j] as number) - share * (v[j] as number);
  }
  return column;
}

const at = (vectors: readonly Float64Array[], k: number) => vectors[k] as Float64Array;

function addFour(column: Float64Array, vectors: readonly Float64Array[], k: number, place: number): void {
  const [a, b, c, d] = [at(vectors, k), at(vectors, k + 1), at(vectors, k + 2), at(vectors, k + 3)];
  const [p, q, r, s] = [a[place], b[place], c[place], d[place]] as [number, number, number, number];
  for (let j = 0; j < column.length; j++)
    column[j] =
      (column[j] as number) -
      (p * (a[j] as number) + q * (b[j] as number) + r * (c[j] as number) + s * (d[j] as number));
}

function addEight(column: Float64Array, vectors: readonly Float64Array[], k: number, place: number): void {
  const [a, b, c, d] = [at(vectors, k), at(vectors, k + 1), at(vectors, k + 2), at(vectors, k + 3)];
  const [e, f, g, h] = [at(vectors, k + 4), at(vectors, k + 5), at(vectors, k + 6), at(vectors, k + 7)];
  const [p, q, r, s] = [a[place], b[place], c[place], d[place]] as [number, number, number, number];
  const [t, u, v, w] = [e[place], f[place], g[place], h[place]] as [number, number, number, number];
  for (let j = 0; j < column.length; j++)
    column[j] =
      (column[j] as number) -
      (p * (a[j] as number) + q * (b[j] as number) + r * (c[j] as number) + s * (d[j] as number)) -
      (t * (e[j] as number) + u * (f[j] as number) + v * (g[j] as number) + w * (h[j] as number));
}
