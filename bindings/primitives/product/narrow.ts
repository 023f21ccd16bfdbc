/** Convolutions of images too narrow for a tile of pixels, or to too few channels for a panel: several outputs of a row in one. */

import type { ModuleName, Optimize } from "../modules.ts";
import type { Patches } from "../params.ts";
import { LEAST_PIXELS, takesDirect } from "./direct.ts";
import { tileRows } from "./gemm.ts";
import { KR, NR, roundUp } from "./panels.ts";

/** Output pixels of a row from which the convolution kernels take the rows as they are. */
const ENOUGH_PIXELS = 4;
/** How many times the multiply-adds that the weights ask for are worth it. */
const MOST = 2;
/** Outputs of a row that one product computes at most, their channels, and bytes of its weights. */
const MOST_OUTPUTS = 8;
const MOST_CHANNELS = 72;
const MOST_BYTES = 128 * 1024;
/** Times by that of a byte of a panel in the simd module: lines of patches and bytes of them, panels, direct convolution and its lines. */
const LINE_TIME = 16;
const BYTE_TIME = 0.17;
const PANEL_TIME = { scalar: 1, simd: 1, relaxed: 0.34 };
const DIRECT_TIME = { scalar: 1, simd: 0.9, relaxed: 0.42 };
const STEP_TIME = 2;
/** What leaving out zeros costs. */
const SPARSE_TIME = 1.25;
/** What of the time more outputs may take at most: their tiles end less often with the image. */
const BETTER = 0.9;

/** The same convolution with several outputs of a row as the channels of one. */
interface Narrow {
  readonly patches: Patches;
  /** int8 `[repeat·n][kH][width·inC]`: the weights where the windows of each column of the output stand, else zeros. */
  readonly data: Int8Array;
  readonly n: number;
  readonly k: number;
  /** How many outputs of a row are one. */
  readonly repeat: number;
  /** By how many outputs the last tile of a row begins earlier, so that it ends with the row; the direct kernel's alone where not 0. */
  readonly back: number;
}

/**
 * The convolution whose pixels are several outputs of a row; `undefined` where that does not pay. `data` is `[n][kH][kW][inC]`,
 * and the rows of the image and of the output follow each other.
 */
export function narrowLayout(
  module: ModuleName,
  optimize: Optimize,
  data: Int8Array,
  n: number,
  g: Patches,
  ends: Ends = "anywhere",
): Narrow | undefined {
  return (
    wholeRows(module, optimize, data, n, g) ?? (optimize === "speed" ? bands(module, data, n, g, ends) : undefined)
  );
}

/** Whether rows may end inside of several outputs, or only with them. */
export type Ends = "anywhere" | "whole";

/**
 * Images `[H,W,C]` with few columns of outputs as `[1,H,W·C]`, whose kernel is kH pixels wide: every output column has weights of
 * its own, zero where its window does not reach, so that padding at the sides is nothing.
 */
function wholeRows(module: ModuleName, optimize: Optimize, data: Int8Array, n: number, g: Patches): Narrow | undefined {
  const { inW, outH, outW, kH, kW } = g;
  if (outW >= ENOUGH_PIXELS || outH < ENOUGH_PIXELS || (outH === 1 && kH === 1)) return undefined;
  const growth = (outW * inW) / kW;
  if (inW > (module === "scalar" ? 1 : MOST) * kW || (optimize !== "speed" && growth > 1)) return undefined;
  return banded(data, n, g, outW, inW, g.padLeft, rowsAsPixels(g));
}

/** As many outputs side by side as take the least time: panels of eight columns are full then, and a line is gathered once for all. */
function bands(module: ModuleName, data: Int8Array, n: number, g: Patches, ends: Ends): Narrow | undefined {
  const { outH, outW, kW, inC, strideW } = g;
  if (module === "scalar" || kW === 1 || g.dilationW !== 1) return undefined;
  if (n % NR === 0 && (outW < ENOUGH_PIXELS || takesDirect(module, n, inC, "", g))) return undefined;
  let best = g;
  let least = bandTime(module, n, 1, g, g);
  for (let outputs = 2; outputs <= MOST_OUTPUTS && outputs * n <= MOST_CHANNELS; outputs++) {
    const width = kW + (outputs - 1) * strideW;
    const windows = Math.ceil(outW / outputs);
    const whole = windows * outputs === outW;
    if (outH * windows < ENOUGH_PIXELS || outputs * (data.length / kW) * width > MOST_BYTES) continue;
    const patches = { ...g, outW: windows, kW: width, strideW: outputs * strideW };
    // The direct kernel's last tile, which has windows in common with others, may as well have outputs in common.
    const pixels = tileRows(module, windows);
    const fits = pixels > windows && windows >= LEAST_PIXELS && takesDirect(module, outputs * n, inC, "", patches);
    if (!whole && (ends === "whole" || !fits)) continue;
    const time = whole
      ? bandTime(module, n, outputs, g, patches) / outputs
      : (directTime(module, outputs * n, patches) * pixels) / outW;
    if (time < BETTER * least) [best, least] = [patches, time];
  }
  if (best === g) return undefined;
  const repeat = best.strideW / strideW;
  return { ...banded(data, n, g, repeat, best.kW, 0, best), back: best.outW * repeat - outW };
}

/** Time of one window of several outputs; of panels what their columns reach, as zeros are left out. */
function bandTime(module: ModuleName, n: number, outputs: number, g: Patches, patches: Patches): number {
  const { kH, inC, strideW } = g;
  const channels = outputs * n;
  const line = patches.kW * inC;
  let panels = 0;
  let reached = 0;
  for (let first = 0; first < channels; first += NR) {
    const last = Math.min(first + NR, channels) - 1;
    reached += g.kW + (Math.floor(last / n) - Math.floor(first / n)) * strideW;
    panels++;
  }
  const gathered = runStep(g) === undefined ? kH * (LINE_TIME + BYTE_TIME * line) : 0;
  const sparse = reached < panels * patches.kW ? SPARSE_TIME : 1;
  const tiles = gathered + sparse * PANEL_TIME[module] * kH * inC * reached;
  if (!takesDirect(module, channels, inC, "", patches)) return tiles;
  return Math.min(tiles, directTime(module, channels, patches));
}

/** Time of one window by the direct kernel. */
function directTime(module: ModuleName, channels: number, { kH, kW, inC }: Patches): number {
  return DIRECT_TIME[module] * (channels / NR) * kH * (roundUp(kW * inC, KR[module]) + STEP_TIME);
}

/** Weights of `repeat` outputs in a row, in lines of `width` pixels from `before` pixels right of the first output's window. */
function banded(
  data: Int8Array,
  n: number,
  g: Patches,
  repeat: number,
  width: number,
  before: number,
  patches: Patches,
): Narrow {
  const { kH, kW, inC } = g;
  const row = width * inC;
  const k = kH * row;
  const bands = new Int8Array(repeat * n * k);
  for (let ox = 0; ox < repeat; ox++)
    for (let kx = 0; kx < kW; kx++) {
      const x = ox * g.strideW - before + kx * g.dilationW;
      if (x < 0 || x >= width) continue;
      for (let line = 0; line < n * kH; line++) {
        const from = (line * kW + kx) * inC;
        bands.set(data.subarray(from, from + inC), (ox * n * kH + line) * row + x * inC);
      }
    }
  return { data: bands, n: repeat * n, k, repeat, patches, back: 0 };
}

/** Images whose every output row has one window, over whole rows: `[1,H,W·C]`; undefined for others. */
export function upright(g: Patches): Patches | undefined {
  const whole = g.outW === 1 && g.kW === g.inW && g.padLeft === 0 && (g.dilationW === 1 || g.kW === 1);
  return whole && g.outH > 1 ? rowsAsPixels(g) : undefined;
}

/** Bytes from a window to the next where each is a run of memory, one to an image or of one image; undefined where they are not. */
export function runStep(g: Patches): number | undefined {
  const inside =
    (g.outH - 1) * g.strideH + (g.kH - 1) * g.dilationH < g.inH &&
    (g.outW - 1) * g.strideW + (g.kW - 1) * g.dilationW < g.inW;
  const dense = (g.kH === 1 || g.dilationH === 1) && (g.kW === 1 || g.dilationW === 1);
  if (!inside || !dense || g.padTop !== 0 || g.padLeft !== 0) return undefined;
  if (g.kH > 1 && g.kW !== g.inW) return undefined;
  if (g.outH * g.outW === 1) return g.inH * g.inW * g.inC;
  if (g.outH === 1 && g.kH === 1) return g.strideW * g.inC;
  return g.kW === g.inW ? g.strideH * g.inW * g.inC : undefined;
}

function rowsAsPixels(g: Patches): Patches {
  return {
    inH: 1,
    inW: g.inH,
    inC: g.inW * g.inC,
    outH: 1,
    outW: g.outH,
    kH: 1,
    kW: g.kH,
    strideH: 1,
    strideW: g.strideH,
    dilationH: 1,
    dilationW: g.dilationH,
    padTop: 0,
    padLeft: g.padTop,
    xZeroPoint: g.xZeroPoint,
  };
}
