/**
 * Factors and inverses of symmetric positive definite matrices, in blocks of BLOCK rows: a block's rows become a panel, are solved
 * there tile by tile, and are then taken from all rows that follow.
 */
import { addProducts, columnOf, copyLine, LINE, pack, TILE, tileBytes } from "./panels";

/** Rows of a block: whole tiles. */
const BLOCK: u32 = 48;

// @ts-ignore: decorator
@inline function wholeTiles(columns: u32): u32 {
  return (columns + TILE - 1) & ~(TILE - 1);
}

/**
 * U of A = Uᵀ·U, in place of A's upper triangle; what is below in the tiles of the diagonal is overwritten. `n` rows, `stride` bytes each; `panel`: room for
 * a block of rows. False, with A half overwritten, where A is not positive definite.
 */
export function cholesky(a: usize, n: u32, stride: usize, panel: usize): bool {
  for (let first: u32 = 0; first < n; first += BLOCK) {
    const depth = min(BLOCK, n - first);
    const corner = a + first * stride + (<usize>first << 3);
    const columns = wholeTiles(n - first);
    pack(panel, corner, stride, depth, columns);
    for (let column: u32 = 0; column < columns; column += TILE) {
      if (!solveTile(columnOf(panel, column, depth), panel, depth, column)) return false;
      unpackTile(corner + (<usize>column << 3), stride, columnOf(panel, column, depth), depth);
    }
    const rest = columns - depth;
    if (first + depth == n) return true;
    const right = columnOf(panel, depth, depth);
    addProducts(corner + depth * stride + (<usize>depth << 3), stride, right, right, depth, rest, rest, -1, true);
  }
  return true;
}

function unpackTile(to: usize, stride: usize, tile: usize, depth: u32): void {
  for (; depth; depth--) {
    copyLine(to, tile);
    to += stride;
    tile += LINE;
  }
}

/**
 * X of Uᵀ·X = B in a tile of `depth` rows, in place of B, U being the panel's first `depth` columns. A tile of U itself, the columns from `column` on,
 * gets its diagonal; false where that is no root of a positive number.
 */
function solveTile(tile: usize, u: usize, depth: u32, column: u32): bool {
  const end = min(depth, column + TILE);
  for (let i: u32 = 0; i < end; i++) {
    const line = tile + <usize>i * LINE;
    let x0 = v128.load(line);
    let x1 = v128.load(line, 16);
    let x2 = v128.load(line, 32);
    let x3 = v128.load(line, 48);
    let d = columnOf(u, i, depth);
    for (let x = tile; x < line; x += LINE) {
      const by = v128.load64_splat(d);
      x0 = f64x2.sub(x0, f64x2.mul(by, v128.load(x)));
      x1 = f64x2.sub(x1, f64x2.mul(by, v128.load(x, 16)));
      x2 = f64x2.sub(x2, f64x2.mul(by, v128.load(x, 32)));
      x3 = f64x2.sub(x3, f64x2.mul(by, v128.load(x, 48)));
      d += LINE;
    }
    let root = load<f64>(d);
    if (i >= column) {
      v128.store(line, x0);
      v128.store(line, x1, 16);
      v128.store(line, x2, 32);
      v128.store(line, x3, 48);
      const square = load<f64>(d);
      if (!(square > 0 && square < Infinity)) return false;
      root = sqrt(square);
    }
    const roots = f64x2.splat(root);
    v128.store(line, f64x2.div(x0, roots));
    v128.store(line, f64x2.div(x1, roots), 16);
    v128.store(line, f64x2.div(x2, roots), 32);
    v128.store(line, f64x2.div(x3, roots), 48);
    if (i >= column) store<f64>(d, root);
  }
  return true;
}

/**
 * Adds the upper triangle of (Uᵀ·U)⁻¹ to `c`, which holds zeros. `a` has U, as `cholesky` leaves it, and zeros in the tiles below those of the diagonal, which
 * are overwritten; `panels`: room for two blocks of rows.
 */
export function invert(c: usize, a: usize, n: u32, stride: usize, panels: usize): void {
  const w = panels + BLOCK * stride;
  for (let first: u32 = 0; first < n; first += BLOCK) {
    const depth = min(BLOCK, n - first);
    const rows = a + first * stride;
    const columns = wholeTiles(n - first);
    pack(panels, rows + (<usize>first << 3), stride, depth, columns);
    // Rows of W = (Uᵀ)⁻¹: what earlier rows have left of them, and the identity.
    pack(w, rows, stride, depth, first);
    const own = columnOf(w, first, depth);
    memory.fill(own, 0, <usize>(wholeTiles(depth) >>> 3) * tileBytes(depth));
    for (let i: u32 = 0; i < depth; i++) store<f64>(columnOf(own, i, depth) + <usize>i * LINE, 1);
    const width = first + wholeTiles(depth);
    for (let column: u32 = 0; column < width; column += TILE)
      solveTile(columnOf(w, column, depth), panels, depth, depth);
    addProducts(c, stride, w, w, depth, width, width, 1, true);
    if (first + depth == n) return;
    const right = columnOf(panels, depth, depth);
    addProducts(rows + depth * stride, stride, right, w, depth, columns - depth, width, -1, false);
  }
}
