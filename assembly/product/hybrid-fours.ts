/** Register tiles of hybrid products by the relaxed dot product: six rows by eight columns, see `hybrid-fours-pack.ts`. */
import { GemmF32 } from "./f32-params";
import { columns, finishFour, Hybrid, storeFour } from "./finish-f32";
import { A_STEP, B_STEP, dot, FACTORS, HEAD, PANEL_HEAD, ROWS, SUMS, tileBytes } from "./hybrid-fours-pack";

/** Rows that have scales and zero points of their own, and such that have the first one's. */
class Own {}
class Whole {}

/** What a row's sums of four columns begin with; Whole: `sums` are multiplied already. */
// @ts-ignore: decorator
@inline function begin<W>(sums: v128, head: usize, moved: i32): v128 {
  const own = idof<W>() == idof<Whole>() ? sums : i32x4.mul(sums, v128.load32_splat(head, FACTORS));
  return moved ? i32x4.add(own, i32x4.splat(moved * load<i32>(head, SUMS))) : own;
}

/** One row's eight columns; Whole: scales are multiplied with the rows' already. */
// @ts-ignore: decorator
@inline function finishPair<W>(p: GemmF32, y: usize, r0: v128, r1: v128, rowScale: f32, s0: v128, s1: v128, b0: v128, b1: v128, width: u32): void {
  if (idof<W>() == idof<Whole>()) {
    storeFour(y, finishWhole(p, r0, s0, b0), width);
    if (width > 4) storeFour(y + 16, finishWhole(p, r1, s1, b1), width - 4);
  } else {
    storeFour(y, finishFour<Hybrid>(p, r0, s0, rowScale, b0), width);
    if (width > 4) storeFour(y + 16, finishFour<Hybrid>(p, r1, s1, rowScale, b1), width - 4);
  }
}

// @ts-ignore: decorator
@inline function finishWhole(p: GemmF32, sum: v128, scale: v128, bias: v128): v128 {
  const v = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), scale), bias);
  return f32x4.pmin(f32x4.pmax(v, f32x4.splat(p.lo)), f32x4.splat(p.hi));
}

/** Scales and biases of a panel's columns behind their sums; Whole: multiplied with what all rows have. */
// @ts-ignore: decorator
@inline function prepareHead<W>(p: GemmF32, t: usize, head: usize, column: u32, width: u32): void {
  const right = max(width, 4) - 4;
  let scale0 = columns(p.scaleTable, column, width);
  let scale1 = columns(p.scaleTable, column + 4, right);
  if (idof<W>() == idof<Whole>()) {
    const factor = v128.load32_splat(t, FACTORS);
    v128.store(head, i32x4.mul(v128.load(head), factor));
    v128.store(head, i32x4.mul(v128.load(head, 16), factor), 16);
    const scale = v128.load32_splat(t);
    scale0 = f32x4.mul(scale0, scale);
    scale1 = f32x4.mul(scale1, scale);
  }
  v128.store(head, scale0, 32);
  v128.store(head, scale1, 48);
  v128.store(head, columns(p.bias, column, width), 64);
  v128.store(head, columns(p.bias, column + 4, right), 80);
}

/** `rows` rows in tiles at `t`, which have what the first one has where `whole`, by the panel of fours at `b`, which is of `width` columns from `column` on; rows of C begin at `y`. */
export function tilesOfFours(p: GemmF32, whole: bool, t: usize, rows: u32, b: usize, moved: i32, y: usize, column: u32, width: u32): void {
  if (whole) tiles<Whole>(p, t, rows, b, moved, y, column, width);
  else tiles<Own>(p, t, rows, b, moved, y, column, width);
}

function tiles<W>(p: GemmF32, t: usize, rows: u32, b: usize, moved: i32, y: usize, column: u32, width: u32): void {
  const size = tileBytes(p.k);
  const stride = <usize>p.yStride;
  const head = b;
  const end = b + PANEL_HEAD + (size - HEAD) / A_STEP * B_STEP;
  prepareHead<W>(p, t, b, column, width);
  b += PANEL_HEAD;
  y += <usize>column << 2;
  for (; rows; t += size) {
    // from memory: what would live through the loop would take its registers
    const s0 = v128.load(head);
    const s1 = v128.load(head, 16);
    let r00 = begin<W>(s0, t, moved);
    let r01 = begin<W>(s1, t, moved);
    let r10 = begin<W>(s0, t + 4, moved);
    let r11 = begin<W>(s1, t + 4, moved);
    let r20 = begin<W>(s0, t + 8, moved);
    let r21 = begin<W>(s1, t + 8, moved);
    let r30 = begin<W>(s0, t + 12, moved);
    let r31 = begin<W>(s1, t + 12, moved);
    let r40 = begin<W>(s0, t + 16, moved);
    let r41 = begin<W>(s1, t + 16, moved);
    let r50 = begin<W>(s0, t + 20, moved);
    let r51 = begin<W>(s1, t + 20, moved);
    let a = t + HEAD;
    for (let w = b; w < end; w += B_STEP) {
      const b0 = v128.load(w);
      const b1 = v128.load(w, 16);
      let x = v128.load32_splat(a);
      r00 = dot(x, b0, r00);
      r01 = dot(x, b1, r01);
      x = v128.load32_splat(a, 4);
      r10 = dot(x, b0, r10);
      r11 = dot(x, b1, r11);
      x = v128.load32_splat(a, 8);
      r20 = dot(x, b0, r20);
      r21 = dot(x, b1, r21);
      x = v128.load32_splat(a, 12);
      r30 = dot(x, b0, r30);
      r31 = dot(x, b1, r31);
      x = v128.load32_splat(a, 16);
      r40 = dot(x, b0, r40);
      r41 = dot(x, b1, r41);
      x = v128.load32_splat(a, 20);
      r50 = dot(x, b0, r50);
      r51 = dot(x, b1, r51);
      a += A_STEP;
    }
    const scale0 = v128.load(head, 32);
    const scale1 = v128.load(head, 48);
    const bias0 = v128.load(head, 64);
    const bias1 = v128.load(head, 80);
    finishPair<W>(p, y, r00, r01, load<f32>(t), scale0, scale1, bias0, bias1, width);
    if (rows > 1) finishPair<W>(p, y + stride, r10, r11, load<f32>(t, 4), scale0, scale1, bias0, bias1, width);
    if (rows > 2) finishPair<W>(p, y + 2 * stride, r20, r21, load<f32>(t, 8), scale0, scale1, bias0, bias1, width);
    if (rows > 3) finishPair<W>(p, y + 3 * stride, r30, r31, load<f32>(t, 12), scale0, scale1, bias0, bias1, width);
    if (rows > 4) finishPair<W>(p, y + 4 * stride, r40, r41, load<f32>(t, 16), scale0, scale1, bias0, bias1, width);
    if (rows > 5) finishPair<W>(p, y + 5 * stride, r50, r51, load<f32>(t, 20), scale0, scale1, bias0, bias1, width);
    y += ROWS * stride;
    rows -= min(rows, ROWS);
  }
}
