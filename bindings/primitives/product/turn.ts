/** A matrix `[rows][columns]` as `[columns][rows]`. */
export function turned<T extends Int8Array | Int16Array | Float32Array>(source: T, rows: number, columns: number): T {
  const to = source.slice();
  for (let i = 0; i < rows; i++) for (let c = 0; c < columns; c++) to[c * rows + i] = source[i * columns + c] as number;
  return to as T;
}
