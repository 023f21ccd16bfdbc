/** Winograd's F(2×2, 3×3) of float32, number by number, every operation rounded to float32. */
const f32 = Math.fround;

interface WinogradExample {
  /** [n][inH][inW][inC]. */
  readonly x: Float32Array;
  readonly xShape: readonly [number, number, number, number];
  /** [outC][3][3][inC]. */
  readonly w: Float32Array;
  readonly bias?: Float32Array;
  /** Padding above and left. */
  readonly before: readonly [number, number];
  readonly yShape: readonly [number, number, number, number];
  readonly lo: number;
  readonly hi: number;
}

/** Bᵀ of four values. */
const inputs = ([a, b, c, d]: readonly number[]) => {
  const [d0, d1, d2, d3] = [a, b, c, d] as [number, number, number, number];
  return [f32(d0 - d2), f32(d1 + d2), f32(d2 - d1), f32(d1 - d3)];
};
/** G of three values, not rounded. */
const weights = ([a, b, c]: readonly number[]) => {
  const [g0, g1, g2] = [a, b, c] as [number, number, number];
  return [g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2];
};
/** Aᵀ of four values. */
const outputs = ([a, b, c, d]: readonly number[]) => {
  const [m0, m1, m2, m3] = [a, b, c, d] as [number, number, number, number];
  return [f32(f32(m0 + m1) + m2), f32(f32(m1 - m2) - m3)];
};
const turned = (rows: readonly (readonly number[])[]) =>
  (rows[0] as readonly number[]).map((_, i) => rows.map((row) => row[i] as number));
/** A transform of columns, then of rows. */
const both = (transform: (line: readonly number[]) => number[], d: readonly (readonly number[])[]) =>
  turned(turned(d).map(transform)).map(transform);
/** The same of rows, then of columns. */
const rowsFirst = (transform: (line: readonly number[]) => number[], d: readonly (readonly number[])[]) =>
  turned(turned(d.map(transform)).map(transform));
const grid = (size: number, at: (y: number, x: number) => number) =>
  Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => at(y, x)));

export function winogradConvolution({ x, xShape, w, bias, before, yShape, lo, hi }: WinogradExample): Float32Array {
  const [, inH, inW, inC] = xShape;
  const [images, outH, outW, outC] = yShape;
  const y = new Float32Array(images * outH * outW * outC);
  const pixel = (image: number, row: number, column: number, c: number) =>
    row >= 0 && row < inH && column >= 0 && column < inW
      ? (x[((image * inH + row) * inW + column) * inC + c] as number)
      : 0;
  const u = Array.from({ length: outC }, (_, o) =>
    Array.from({ length: inC }, (_, c) =>
      both(
        weights,
        grid(3, (i, j) => w[((o * 3 + i) * 3 + j) * inC + c] as number),
      ).map((row) => row.map(f32)),
    ),
  );
  for (let image = 0; image < images; image++)
    for (let top = 0; top < outH; top += 2)
      for (let left = 0; left < outW; left += 2) {
        const v = Array.from({ length: inC }, (_, c) =>
          rowsFirst(
            inputs,
            grid(4, (i, j) => pixel(image, top - before[0] + i, left - before[1] + j, c)),
          ),
        );
        for (let o = 0; o < outC; o++) {
          const m = grid(4, (i, j) =>
            v.reduce((sum, tile, c) => f32(sum + f32((tile[i]?.[j] as number) * (u[o]?.[c]?.[i]?.[j] as number))), 0),
          );
          for (const [i, row] of rowsFirst(outputs, m).entries())
            for (const [j, value] of row.entries())
              if (top + i < outH && left + j < outW)
                y[((image * outH + top + i) * outW + left + j) * outC + o] = Math.min(
                  Math.max(f32(value + (bias?.[o] ?? 0)), lo),
                  hi,
                );
        }
      }
  return y;
}
