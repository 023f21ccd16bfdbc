import type { ModuleName } from "../modules.ts";
import type { PatchSizes } from "../params.ts";
import { KR } from "../product/panels.ts";

/** What the depthwise kernel's layout depends on. */
export interface DwShape {
  readonly channels: number;
  readonly kH: number;
  readonly kW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly outH: number;
  readonly outW: number;
  readonly padLeft: number;
}

/** Row groups of a block, the output rows that share them, and the columns laid out. See `assembly/depthwise/dwconv.simd.ts`. */
interface DwLayout {
  /** The kernel that takes it: the scalar module has one of its own for 3×3. */
  readonly kernel: "dwconv" | "dwconv3x3";
  readonly groups: number;
  /** 2 where the relaxed module's weights are of nine bits, each the sum of two int8; else 1. */
  readonly halves: 1 | 2;
  readonly rows: number;
  readonly columns: number;
  readonly scratchBytes: number;
}

/** Channels that are laid out together. */
const PANEL = 16;
/** Pixels of an output row that are computed at a time. */
const TILE = 4;

/** The layout of one depthwise convolution; `wide` where its weights do not fit in int8. */
export function dwLayout(module: ModuleName, shape: DwShape, wide: boolean): DwLayout {
  if (module === "scalar") return scalarLayout(shape);
  const kr = KR[module];
  const shares = shape.strideH === 1 && shape.dilationH === 1 && shape.outH > 1;
  const halves = wide && module === "relaxed" ? 2 : 1;
  const own = Math.ceil((shape.kH + (shares ? 1 : 0)) / kr);
  const rows = shares ? Math.min(own * kr - shape.kH + 1, shape.outH) : 1;
  const groups = own * halves;
  const width = Math.ceil(shape.outW / TILE) * TILE;
  const columns = (width - 1) * shape.strideW + (shape.kW - 1) * shape.dilationW + 1;
  return { kernel: "dwconv", groups, halves, rows, columns, scratchBytes: 16 + columns * groups * PANEL * kr };
}

/**
 * The shape with rows and columns exchanged, which is the same convolution of turned images by turned weights: `dwconv` steps
 * through memory as it is told, and rows of few pixels take it longer.
 */
export function lying<T extends PatchSizes>(g: T): T {
  return {
    ...g,
    inH: g.inW,
    inW: g.inH,
    outH: g.outW,
    outW: g.outH,
    kH: g.kW,
    kW: g.kH,
    strideH: g.strideW,
    strideW: g.strideH,
    dilationH: g.dilationW,
    dilationW: g.dilationH,
    padTop: g.padLeft,
    padLeft: g.padTop,
  };
}

/** Weights [kH][kW][channels] as [kW][kH][channels]. */
export function lyingWeights<T extends Int8Array | Int16Array>(w: T, { channels, kH, kW }: DwShape): T {
  const turned = w.slice() as T;
  for (let ky = 0; ky < kH; ky++)
    for (let kx = 0; kx < kW; kx++) {
      const from = (ky * kW + kx) * channels;
      turned.set(w.subarray(from, from + channels), (kx * kH + ky) * channels);
    }
  return turned;
}

/** The scalar module slides over 3×3 kernels, and lays out a channel's weights and inputs, i64 each, for all others. */
function scalarLayout({ kH, kW, strideH, strideW, dilationH, dilationW, outH, outW, padLeft }: DwShape): DwLayout {
  const slides = kH === 3 && kW === 3 && dilationW === 1 && strideW <= 2 && padLeft <= 2;
  const columns = slides ? 0 : (outW - 1) * strideW + (kW - 1) * dilationW + 1;
  // one column lays out all its rows: `column` in `assembly/depthwise/dwconv.scalar.ts`
  const rows = (Math.ceil(outH / 3) * 3 - 1) * strideH + (kH - 1) * dilationH + kH + 8;
  const scratchBytes = 16 + (slides ? 0 : 8 * Math.max(kH * (kW + columns), columns === 1 ? rows : 0));
  return { kernel: slides ? "dwconv3x3" : "dwconv", groups: 0, halves: 1, rows: slides ? 1 : 3, columns, scratchBytes };
}

/**
 * Packs depthwise weights, int8 [kH][kW][channels], into [channels/16][rows][kW][groups][16][KR] (int16 for KR = 2):
 * row r's kernel begins r rows further down its groups. Of halves each has its own groups.
 */
export function packDepthwise(
  module: ModuleName,
  w: Int8Array | Int16Array,
  shape: DwShape,
  layout: DwLayout,
): Uint8Array {
  const { channels, kH, kW } = shape;
  if (module === "scalar") return new Uint8Array(w.buffer, w.byteOffset, w.byteLength).slice();
  const kr = KR[module];
  const { groups, halves, rows } = layout;
  const panels = Math.ceil(channels / PANEL);
  const packed = new (module === "simd" ? Int16Array : Int8Array)(panels * rows * kW * groups * PANEL * kr);
  const panelSize = rows * kW * groups * PANEL * kr;
  for (let half = 0; half < halves; half++)
    for (let r = 0; r < rows; r++)
      for (let ky = 0; ky < kH; ky++)
        for (let kx = 0; kx < kW; kx++) {
          const group = Math.floor((ky + r) / kr) + (half * groups) / halves;
          let to = ((r * kW + kx) * groups + group) * PANEL * kr + ((ky + r) % kr);
          let from = (ky * kW + kx) * channels;
          for (let left = channels; left > 0; left -= PANEL, to += panelSize) {
            const width = Math.min(left, PANEL) * kr;
            for (let lane = 0; lane < width; lane += kr, from++)
              packed[to + lane] = halves === 1 ? (w[from] as number) : partOf(w[from] as number, half);
          }
        }
  return new Uint8Array(packed.buffer);
}

/** The smaller or larger of the two int8 that a weight is the sum of. */
function partOf(weight: number, half: number): number {
  return half === 0 ? weight >> 1 : weight - (weight >> 1);
}
