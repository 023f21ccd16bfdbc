/** Convolutions of images too narrow for a tile of pixels: a row of the output is one product. */

import type { ModuleName, Optimize } from "../modules.ts";
import type { Patches } from "../params.ts";

/** Output pixels of a row from which the convolution kernels take the rows as they are. */
const ENOUGH_PIXELS = 4;
/** How many times the multiply-adds that the weights ask for are worth it. */
const MOST = 2;

/** The same convolution of one line of pixels, each a whole row of the image. */
export interface Narrow {
  readonly patches: Patches;
  /** int8 `[outW·n][kH][inW·inC]`: the weights where the windows of each column of the output stand, else zeros. */
  readonly data: Int8Array;
  readonly n: number;
  readonly k: number;
}

/**
 * Images `[H,W,C]` with few columns of outputs as `[1,H,W·C]`, whose kernel is kH pixels wide: every output column has weights of
 * its own, zero where its window does not reach, so that padding at the sides is nothing. `data` is `[n][kH][kW][inC]`;
 * `undefined` where the image is wide or short, or its rows do not follow each other.
 */
export function narrowLayout(
  module: ModuleName,
  optimize: Optimize,
  data: Int8Array,
  n: number,
  g: Patches,
): Narrow | undefined {
  const { inW, inC, outH, outW, kH, kW } = g;
  if (outW >= ENOUGH_PIXELS || outH < ENOUGH_PIXELS || (outH === 1 && kH === 1)) return undefined;
  const growth = (outW * inW) / kW;
  if (inW > (module === "scalar" ? 1 : MOST) * kW || (optimize !== "speed" && growth > 1)) return undefined;
  const row = inW * inC;
  const k = kH * row;
  const banded = new Int8Array(outW * n * k);
  for (let ox = 0; ox < outW; ox++)
    for (let kx = 0; kx < kW; kx++) {
      const x = ox * g.strideW - g.padLeft + kx * g.dilationW;
      if (x < 0 || x >= inW) continue;
      for (let line = 0; line < n * kH; line++) {
        const from = (line * kW + kx) * inC;
        banded.set(data.subarray(from, from + inC), (ox * n * kH + line) * row + x * inC);
      }
    }
  return { data: banded, n: outW * n, k, patches: rowsAsPixels(g) };
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
