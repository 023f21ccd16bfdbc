/**
 * Convolution without patches: the input rows that a block of output rows needs are packed once, padding included, and
 * the register tiles walk them. A kernel row is one segment of k, kW·inC activations side by side, so that k is
 * [kH][kW·inC] with segments rounded up to whole steps, zero in B.
 *
 * For kernel rows of a few steps at least, rows of at least one tile, and panels of eight columns in a float form; the
 * others take the patches of `gemm.ts`. mBlock counts output rows here.
 */
import { Conv2d } from "../params";
import { activationMask } from "../relaxed/probe";
import { KR, STEP, widenPanel } from "./gemm";
import { FIXED, FORM, POSITIVE, RECORD, SIGNED } from "./requantize";
import { MR, wholeTiles } from "./tile";
import { LANE, pack, packFill } from "./widen";

export function directConv2d(params: usize, part: u32, parts: u32): void {
  const p = changetype<Conv2d>(params);
  const columns = (p.outW - 1) * p.strideW + p.kW;
  const pitch = <usize>((columns * p.inC * <u32>LANE + 31) & ~15);
  const scratch = <usize>p.scratch + <usize>part * p.scratchStride;
  const bWide = scratch + pitch * <usize>((p.mBlock - 1) * p.strideH + (p.kH - 1) * p.dilationH + 1);
  const batches = p.m / (p.outH * p.outW);
  const total = p.outH * batches;
  const end = <u32>((<u64>total * (part + 1)) / parts);
  for (let line = <u32>((<u64>total * part) / parts); line < end; ) {
    const batch = line / p.outH;
    const oy = line - batch * p.outH;
    const rows = min(min(p.mBlock, p.outH - oy), end - line);
    packImage(p, batch, <i32>(oy * p.strideH) - p.padTop, (rows - 1) * p.strideH + (p.kH - 1) * p.dilationH + 1, columns, scratch, pitch);
    panels(p, scratch, pitch, rows, <usize>p.y + <usize>(line * p.outW) * p.yStride, bWide);
    line += rows;
  }
}

/** Packs `rows` input rows from row y on, with the padding around them. */
function packImage(p: Conv2d, batch: u32, y: i32, rows: u32, columns: u32, target: usize, pitch: usize): void {
  const inC = p.inC;
  const left = <u32>max(p.padLeft, 0) * inC;
  const inside = min(p.inW * inC, columns * inC - left);
  const right = columns * inC - left - inside;
  for (; rows; rows--) {
    if (<u32>y >= p.inH) packFill(target, p.xZeroPoint, columns * inC);
    else {
      packFill(target, p.xZeroPoint, left);
      pack(target + <usize>left * LANE, <usize>p.x + <usize>((batch * p.inH + y) * p.inW) * inC, inside);
      packFill(target + <usize>(left + inside) * LANE, p.xZeroPoint, right);
    }
    y++;
    target += pitch;
  }
}

/** All panels over a block of output rows. */
function panels(p: Conv2d, a: usize, pitch: usize, rows: u32, c: usize, bWide: usize): void {
  const bytes = <usize>(p.k / KR) * STEP;
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  let w = <usize>p.w;
  let q = <usize>p.q;
  for (let column: u32 = 0; column < p.n; column += 8) {
    if (!ASC_FEATURE_RELAXED_SIMD) widenPanel(bWide, w, bytes);
    const b = ASC_FEATURE_RELAXED_SIMD ? w : bWide;
    const bEnd = b + (ASC_FEATURE_RELAXED_SIMD ? bytes : bytes << 1);
    const form = load<u32>(q, FORM);
    if (form == POSITIVE) outputRows(p, POSITIVE, a, pitch, rows, b, bEnd, q, c, mask);
    else if (form == SIGNED) outputRows(p, SIGNED, a, pitch, rows, b, bEnd, q, c, mask);
    else outputRows(p, FIXED, a, pitch, rows, b, bEnd, q, c, mask);
    c += 8;
    w += bytes;
    q += RECORD;
  }
}

/** Output rows of one panel: whole tiles, then the last pixels again as one tile that ends with the row. */
// @ts-ignore: decorator
@inline function outputRows(
  p: Conv2d,
  form: u32,
  a: usize,
  pitch: usize,
  rows: u32,
  b: usize,
  bEnd: usize,
  q: usize,
  c: usize,
  mask: v128,
): void {
  const outW = p.outW;
  const whole = outW - (outW % MR);
  const yStride = <usize>p.yStride;
  const aStride = <usize>(p.strideW * p.inC) * LANE;
  const segment = (bEnd - b) / p.kH;
  const skip = pitch * p.dilationH - <usize>(p.k / p.kH) * LANE;
  const rowStep = pitch * p.strideH;
  for (; rows; rows--) {
    let x: u32 = 0;
    let count = whole;
    do {
      const aTile = a + <usize>x * aStride;
      wholeTiles(changetype<usize>(p), form, false, true, aTile, aStride, count, b, bEnd, 0, segment, skip, q, c + <usize>x * yStride, yStride, mask);
      x = x + count == outW ? outW : outW - MR;
      count = MR;
    } while (x < outW);
    a += rowStep;
    c += <usize>outW * yStride;
  }
}
