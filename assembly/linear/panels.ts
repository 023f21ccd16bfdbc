/**
 * Panels: some rows of a matrix as tiles of eight columns, `[columns / 8][depth][8]` of f64, so that whatever reads a column of a
 * tile, or all of it, reads memory in its order, at any length of the matrix's rows.
 */

/** Columns of a tile, and bytes of its row. */
export const TILE: u32 = 8;
export const LINE: usize = 64;

/** Bytes of a tile of so many rows. */
// @ts-ignore: decorator
@inline export function tileBytes(depth: u32): usize {
  return <usize>depth * LINE;
}

/** Where column `column` of a panel begins. */
// @ts-ignore: decorator
@inline export function columnOf(panel: usize, column: u32, depth: u32): usize {
  return panel + <usize>(column >>> 3) * tileBytes(depth) + ((column & 7) << 3);
}

/** Copies one row of a tile. */
// @ts-ignore: decorator
@inline export function copyLine(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  v128.store(to, v128.load(from, 32), 32);
  v128.store(to, v128.load(from, 48), 48);
}

/** The panel of `depth` rows, `stride` bytes apart, and of whole tiles of columns. */
export function pack(panel: usize, from: usize, stride: usize, depth: u32, columns: u32): void {
  for (let column: u32 = 0; column < columns; column += TILE)
    for (let k: u32 = 0; k < depth; k++) {
      copyLine(panel, from + k * stride + (<usize>column << 3));
      panel += LINE;
    }
}

/**
 * C[i][j] += sign · Σ P[k][i] · Q[k][j] of two panels of the same depth, sums from 0 on and in the order of k. Rows and columns of C, `stride` bytes a
 * row, are whole tiles; of a triangle the tiles below the diagonal stay as they are.
 */
export function addProducts(
  c: usize,
  stride: usize,
  p: usize,
  q: usize,
  depth: u32,
  rows: u32,
  columns: u32,
  sign: f64,
  triangle: bool,
): void {
  const signs = f64x2.splat(sign);
  for (let column: u32 = 0; column < columns; column += TILE) {
    const end = triangle ? min(rows, column + TILE) : rows;
    for (let row: u32 = 0; row < end; row += 2)
      addTwoRows(c + row * stride + (<usize>column << 3), stride, columnOf(p, row, depth), q, depth, signs);
    q += tileBytes(depth);
  }
}

/** Two rows of one tile of C, whose sums stay in registers. */
function addTwoRows(c: usize, stride: usize, p: usize, q: usize, depth: u32, signs: v128): void {
  let a0 = f64x2.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  for (; depth; depth--) {
    const a = v128.load64_splat(p);
    const b = v128.load64_splat(p, 8);
    const q0 = v128.load(q);
    const q1 = v128.load(q, 16);
    const q2 = v128.load(q, 32);
    const q3 = v128.load(q, 48);
    a0 = f64x2.add(a0, f64x2.mul(a, q0));
    a1 = f64x2.add(a1, f64x2.mul(a, q1));
    a2 = f64x2.add(a2, f64x2.mul(a, q2));
    a3 = f64x2.add(a3, f64x2.mul(a, q3));
    b0 = f64x2.add(b0, f64x2.mul(b, q0));
    b1 = f64x2.add(b1, f64x2.mul(b, q1));
    b2 = f64x2.add(b2, f64x2.mul(b, q2));
    b3 = f64x2.add(b3, f64x2.mul(b, q3));
    p += LINE;
    q += LINE;
  }
  addLine(c, signs, a0, a1, a2, a3);
  addLine(c + stride, signs, b0, b1, b2, b3);
}

// @ts-ignore: decorator
@inline function addLine(c: usize, signs: v128, s0: v128, s1: v128, s2: v128, s3: v128): void {
  v128.store(c, f64x2.add(v128.load(c), f64x2.mul(signs, s0)));
  v128.store(c, f64x2.add(v128.load(c, 16), f64x2.mul(signs, s1)), 16);
  v128.store(c, f64x2.add(v128.load(c, 32), f64x2.mul(signs, s2)), 32);
  v128.store(c, f64x2.add(v128.load(c, 48), f64x2.mul(signs, s3)), 48);
}
