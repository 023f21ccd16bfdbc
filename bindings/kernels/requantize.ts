import type { ModuleName } from "./modules.ts";
import type { Range } from "./quantization.ts";
import { provePositive, proveSigned, type Step } from "./requantize-proof.ts";

/**
 * What the packer knows of each output channel: its bias with the input's zero point folded in, its fixed-point
 * multiplier, and the least and greatest accumulator that any input can give. Struct of arrays, one entry per channel.
 */
export interface Channels {
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  readonly shift: Int32Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Sum of the channel's weights. */
  readonly sum: Int32Array;
}

/** The output's zero point and clamp. */
export interface Output extends Range {
  readonly zeroPoint: number;
}

/** Channels that share one record of the vector modules. */
const PANEL = 8;
/** Forms of the vector modules, see `assembly/simd/requantize.ts`; they stand in this order in records. */
const FORMS = ["exact", "fixed", "signed", "positive"] as const;
export type Form = (typeof FORMS)[number];
/** Above this depth the float forms save under 3 % of a layer and are not looked for: planning takes time too. */
const PROOF_DEPTH = 128;

/** The records of all channels, and how many panels took each form (`short` or `exact` channels in the scalar module). */
export function packRecords(
  module: ModuleName,
  channels: Channels,
  output: Output,
  depth: number,
): { readonly bytes: Uint8Array; readonly forms: string } {
  return module === "scalar"
    ? packScalar(channels)
    : packVector(channels, output, depth, module === "relaxed" ? 144 : 112);
}

function packVector(channels: Channels, output: Output, depth: number, recordBytes: number) {
  const n = channels.bias.length;
  const panels = Math.ceil(n / PANEL);
  const bytes = new Uint8Array(panels * recordBytes);
  const view = new DataView(bytes.buffer);
  const counts = new Map<Form, number>();
  for (let panel = 0; panel < panels; panel++) {
    const first = panel * PANEL;
    const width = Math.min(PANEL, n - first);
    const at = panel * recordBytes;
    const form = choosePanel(channels, first, width, output, depth);
    counts.set(form.name, (counts.get(form.name) ?? 0) + 1);
    for (let i = 0; i < width; i++) {
      const c = first + i;
      view.setInt32(at + i * 4, channels.bias[c] as number, true);
      const [a, b] = form.values(i, c);
      if (form.name === "exact" || form.name === "fixed") view.setInt32(at + 32 + i * 4, a, true);
      else view.setFloat32(at + 32 + i * 4, a, true);
      if (form.name === "exact") view.setInt32(at + 64 + i * 4, b, true);
      else view.setFloat32(at + 64 + i * 4, b, true);
      if (recordBytes === 144) view.setInt32(at + 112 + i * 4, Math.imul(channels.sum[c] as number, -128), true);
    }
    for (let i = 0; i < 4; i++) view.setUint32(at + 96 + i * 4, FORMS.indexOf(form.name), true);
  }
  return { bytes, forms: [...counts].map(([name, count]) => `${name} ${count}`).join(", ") };
}

/** A form and each channel's two values in it. */
interface Choice {
  readonly name: Form;
  values(i: number, channel: number): readonly [number, number];
}

/** The cheapest form that is proven for every channel of a panel. */
function choosePanel(channels: Channels, first: number, width: number, output: Output, depth: number): Choice {
  if (depth <= PROOF_DEPTH) {
    const name = output.lo >= output.zeroPoint ? "positive" : "signed";
    const prove = name === "positive" ? provePositive : proveSigned;
    const proven: (readonly [number, number])[] = [];
    for (let c = first; c < first + width; c++) {
      const values = prove(stepOf(channels, c), output);
      if (values === undefined) break;
      proven.push(values);
    }
    if (proven.length === width) return { name, values: (i) => proven[i] as readonly [number, number] };
  }
  for (let c = first; c < first + width; c++)
    if (!fixedHolds(stepOf(channels, c)))
      return { name: "exact", values: (_, k) => [channels.multiplier[k] as number, channels.shift[k] as number] };
  return {
    name: "fixed",
    values: (_, k) => [channels.multiplier[k] as number, 2 ** (channels.shift[k] as number) * (1 + 2 ** -23)],
  };
}

function stepOf(channels: Channels, c: number): Step {
  return {
    multiplier: channels.multiplier[c] as number,
    shift: channels.shift[c] as number,
    min: channels.min[c] as number,
    max: channels.max[c] as number,
  };
}

/**
 * FIXED doubles the accumulator in 32 bits, so |acc| < 2^30, and rounds v = acc·multiplier/2^31 by a float multiply
 * with 2^(−e)(1 + 2^−23): that adds one or two units in the last place, which lifts ties and nothing else while
 * |v| < 2^22. Either no v is larger, or e ≤ 13: then all values up to 383 (int8 and its zero point) come from
 * |v| ≤ 383·2^13 < 2^22, and larger ones clamp. The magic number's range, 2^22, must not be left.
 */
function fixedHolds({ multiplier, shift, min, max }: Step): boolean {
  const most = Math.max(Math.abs(min), Math.abs(max));
  const v = (most * multiplier) / 2 ** 31;
  return shift <= 0 && most < 2 ** 30 && (shift >= -13 || v < 2 ** 22) && v * 2 ** shift < 2 ** 21;
}

/** Records of the scalar module, see `assembly/scalar/requantize.ts`; channels that do not fit one stand after them. */
function packScalar(channels: Channels) {
  const n = channels.bias.length;
  const apart: number[] = [];
  for (let i = 0; i < n; i++) if (!fitsRecord(channels, i)) apart.push(i);
  const bytes = new Uint8Array(n * 8 + apart.length * 12);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < n; i++) {
    view.setInt32(i * 8, channels.multiplier[i] as number, true);
    view.setInt32(i * 8 + 4, ((channels.bias[i] as number) << 5) | (-(channels.shift[i] as number) & 31), true);
  }
  for (const [j, i] of apart.entries()) {
    const at = n * 8 + j * 12;
    view.setUint32(i * 8, at - i * 8, true);
    view.setUint32(i * 8 + 4, 31, true);
    view.setInt32(at, channels.multiplier[i] as number, true);
    view.setInt32(at + 4, channels.shift[i] as number, true);
    view.setInt32(at + 8, channels.bias[i] as number, true);
  }
  return { bytes, forms: apart.length === 0 ? "short" : `short ${n - apart.length}, exact ${apart.length}` };
}

/** 27 bits of bias, and a shift to the right by at most 30. */
function fitsRecord(channels: Channels, i: number): boolean {
  const bias = channels.bias[i] as number;
  const shift = channels.shift[i] as number;
  return shift <= 0 && shift >= -30 && bias >= -(2 ** 26) && bias < 2 ** 26;
}
