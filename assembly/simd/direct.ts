/**
 * Convolution that gathers what a kernel row reads once for all output rows that need it. For every input row, padding
 * included, the runs of kW·inC activations under the kernel at four output pixels are interleaved into one tile segment,
 * [tile][step][4][KR]; a tile of an output row walks the segments of kH input rows. k is [kH][kW·inC] with segments
 * rounded up to whole steps, zero in B.
 *
 * For kernel rows of a few steps at least, rows of at least one tile, and panels of eight columns in a float form; the
 * others take the patches of `gemm.ts`. mBlock counts output rows here. Scratch: the input rows of a block | a widened
 * panel | one input row with its padding.
 */
import { Conv2d } from "../params";
import { activationMask } from "../relaxed/probe";
import { copyRun, fillRun } from "./bytes";
import { KR, STEP } from "./gemm";
import { interleave, STEP_A } from "./interleave";
import { Fixed, FORM, POSITIVE, Positive, RECORD, SIGNED, Signed } from "./requantize";
import { MR, Segmented, wholeTiles } from "./tile";
import { widenPanel } from "./widen";

/** What an input row's last tile may be written beyond its end. */
const SLACK: usize = 3 * STEP_A;

export function directConv2d(params: usize, part: u32, parts: u32): void {
  const p = changetype<Conv2d>(params);
  const segment = <usize>(p.k / p.kH / KR) * STEP_A;
  const pitch = <usize>((p.outW + MR - 1) / MR) * segment;
  const rows = <usize>p.scratch + <usize>part * p.scratchStride;
  const bWide = rows + SLACK + pitch * <usize>((p.mBlock - 1) * p.strideH + (p.kH - 1) * p.dilationH + 1);
  const line = ASC_FEATURE_RELAXED_SIMD ? bWide : bWide + <usize>(p.k / KR) * (STEP << 1);
  const mask = ASC_FEATURE_RELAXED_SIMD ? activationMask() : i32x4.splat(0);
  const total = p.m / p.outW;
  const end = <u32>((<u64>total * (part + 1)) / parts);
  for (let i = <u32>((<u64>total * part) / parts); i < end; ) {
    const batch = i / p.outH;
    const oy = i - batch * p.outH;
    const count = min(min(p.mBlock, p.outH - oy), end - i);
    const top = <i32>(oy * p.strideH) - p.padTop;
    packRows(p, batch, top, (count - 1) * p.strideH + (p.kH - 1) * p.dilationH + 1, rows, segment, line, mask);
    panels(p, rows, segment, pitch, count, <usize>p.y + <usize>(i * p.outW) * p.yStride, bWide, mask);
    i += count;
  }
}

/** The tile segments of `rows` input rows from row y on. */
function packRows(p: Conv2d, batch: u32, y: i32, rows: u32, target: usize, segment: usize, line: usize, mask: v128): void {
  const inC = p.inC;
  const length = p.kW * inC;
  const s = <usize>(p.strideW * inC);
  const columns = ((p.outW - 1) * p.strideW + p.kW) * inC;
  const left = <u32>max(p.padLeft, 0) * inC;
  const inside = min(p.inW * inC, columns - left);
  fillRun(line, p.xZeroPoint, columns);
  for (; rows; rows--) {
    if (<u32>y < p.inH) copyRun(line + left, <usize>p.x + <usize>((batch * p.inH + y) * p.inW) * inC, inside);
    else fillRun(line + left, p.xZeroPoint, inside);
    for (let x: u32 = 0; x < p.outW; x += MR) {
      const at = line + <usize>min(x, p.outW - MR) * s;
      interleave(target, STEP_A, at, at + s, at + 2 * s, at + 3 * s, length, mask);
      target += segment;
    }
    y++;
  }
}

/** All panels over a block of output rows. */
function panels(
  p: Conv2d,
  a: usize,
  segment: usize,
  pitch: usize,
  rows: u32,
  c: usize,
  bWide: usize,
  mask: v128,
): void {
  const bytes = <usize>(p.k / KR) * STEP;
  let w = <usize>p.w;
  let q = <usize>p.q;
  for (let column: u32 = 0; column < p.n; column += 8) {
    if (!ASC_FEATURE_RELAXED_SIMD) widenPanel(bWide, w, bytes);
    const b = ASC_FEATURE_RELAXED_SIMD ? w : bWide;
    const bEnd = b + (ASC_FEATURE_RELAXED_SIMD ? bytes : bytes << 1);
    const form = load<u32>(q, FORM);
    if (form == POSITIVE) outputRows<Positive>(p, a, segment, pitch, rows, b, bEnd, q, c, mask);
    else if (form == SIGNED) outputRows<Signed>(p, a, segment, pitch, rows, b, bEnd, q, c, mask);
    else outputRows<Fixed>(p, a, segment, pitch, rows, b, bEnd, q, c, mask);
    c += 8;
    w += bytes;
    q += RECORD;
  }
}

/** Output rows of one panel: whole tiles, then the last pixels again as one tile that ends with the row. */
// @ts-ignore: decorator
@inline function outputRows<F>(
  p: Conv2d,
  a: usize,
  segment: usize,
  pitch: usize,
  rows: u32,
  b: usize,
  bEnd: usize,
  q: usize,
  c: usize,
  mask: v128,
): void {
  const outW = p.outW;
  const whole = outW & ~(MR - 1);
  const yStride = <usize>p.yStride;
  const bSegment = (bEnd - b) / p.kH;
  const skip = pitch * p.dilationH - segment;
  const rowStep = pitch * p.strideH;
  for (; rows; rows--) {
    let x: u32 = 0;
    let count = whole;
    let tile = a;
    do {
      const end = tile + <usize>(count / MR) * segment;
      wholeTiles<F, Segmented>(changetype<usize>(p), tile, end, segment, b, bEnd, 0, bSegment, skip, q, c + <usize>x * yStride, yStride, mask);
      x = x + count == outW ? outW : outW - MR;
      count = MR;
      tile = end;
    } while (x < outW);
    a += rowStep;
    c += <usize>outW * yStride;
  }
}
