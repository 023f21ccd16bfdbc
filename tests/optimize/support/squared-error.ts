/** (w − v)ᵀ·XᵀX·(w − v): the squared error of the outputs that w gives in place of v, summed over rows; `products` is XᵀX of `size` rows. */
export function squaredError(products: Float64Array, size: number, w: Float64Array, v: Float64Array): number {
  const d = w.map((value, i) => value - (v[i] as number));
  return d.reduce((sum, di, i) => {
    const inner = d.reduce((all, dj, j) => all + (products[i * size + j] as number) * dj, 0);
    return sum + di * inner;
  }, 0);
}
