import type { ModuleName } from "../modules.ts";
import { halves } from "./quantization.ts";
import type { Channels, Output, Packer, Proofs } from "./types.ts";

/** Channels that share one record of the vector modules. */
const PANEL = 8;
/** Forms of the vector modules, see `assembly/requantize/requantize.simd.ts`; they stand in this order in records. */
const FORMS = ["exact", "fixed", "signed", "positive"] as const;
type Form = (typeof FORMS)[number];
/** Above this depth the float forms save under 3 % of a layer and are not looked for: planning takes time too. */
const PROOF_DEPTH: Record<ModuleName, number> = { scalar: 0, simd: 128, relaxed: 576 };
/** Up to this depth they are looked for where there are few rows, too. */
const SHALLOW = 128;
/** Nor are they for so few rows and so many channels: what they save does not make up for the proof in 100 runs. */
const PROOF_ROWS = 64;
const PROOF_CHANNELS = 512;
/** So few products, as depthwise layers have, are less than requantization is. */
const FEW = 25;

/** How much of a layer requantization is. */
interface Work {
  /** Values that one channel requantizes in a run. */
  readonly rows: number;
  /** Products that each of them sums. */
  readonly depth: number;
}

/** The records of all channels, and how many panels took each form (`short` or `exact` channels in the scalar module). */
export function packRecords(
  module: ModuleName,
  channels: Channels,
  output: Output,
  { rows, depth }: Work,
  packer: Packer,
): { readonly bytes: Uint8Array; readonly forms: string } {
  const { scale } = channels;
  if (module === "scalar") return packScalar(scale ? byOnnx(channels, scale, output) : channels);
  const pays =
    channels.offset === undefined &&
    depth <= PROOF_DEPTH[module] &&
    (rows >= PROOF_ROWS || depth <= FEW || (depth <= SHALLOW && channels.bias.length <= PROOF_CHANNELS));
  if (scale) return packOnnx(channels, scale, output, pays, packer, module === "relaxed" ? 144 : 112);
  return packVector(channels, output, pays, packer, module === "relaxed" ? 144 : 112);
}

function packVector(channels: Channels, output: Output, pays: boolean, packer: Packer, recordBytes: number) {
  const n = channels.bias.length;
  const panels = Math.ceil(n / PANEL);
  const bytes = new Uint8Array(panels * recordBytes);
  const words = new Int32Array(bytes.buffer);
  const floats = new Float32Array(bytes.buffer);
  const counts = new Map<Form, number>();
  const light = output.lo >= output.zeroPoint ? "positive" : "signed";
  const proofs = pays ? packer.prove(light, channels, output) : undefined;
  for (let panel = 0; panel < panels; panel++) {
    const first = panel * PANEL;
    const end = Math.min(first + PANEL, n);
    const form: Form = proofs && areProven(proofs, first, end) ? light : integerForm(channels, first, end);
    counts.set(form, (counts.get(form) ?? 0) + 1);
    let at = (panel * recordBytes) / 4;
    for (let c = first; c < end; c++, at++) {
      const multiplier = channels.multiplier[c] as number;
      const shift = channels.shift[c] as number;
      words[at] = channels.bias[c] as number;
      if (form === light) {
        floats[at + 8] = proofs?.a[c] as number;
        floats[at + 16] = proofs?.b[c] as number;
      } else {
        words[at + 8] = multiplier;
        if (form === "exact") words[at + 16] = shift;
        else floats[at + 16] = (halves()[-shift] as number) * (1 + 2 ** -23);
      }
      if (recordBytes === 144) words[at + 28] = Math.imul(channels.sum[c] as number, -128);
    }
    words.fill(FORMS.indexOf(form), (panel * recordBytes) / 4 + 24, (panel * recordBytes) / 4 + 28);
  }
  return { bytes, forms: [...counts].map(([name, count]) => `${name} ${count}`).join(", ") };
}

/** Shift of a channel whose multiplier is the bits of a float32 factor: `exactLane` and `apart` of the kernels. */
const FLOAT_FACTOR = 64;
/** Where the magic number's sums with larger values are no longer in order. */
const MOST = 2 ** 22;

/** The channels as the 64-bit arithmetic takes onnxruntime's rule; what is added stands in place of the shift. */
function byOnnx(channels: Channels, scale: Float32Array, output: Output): Channels {
  const multiplier = new Int32Array(scale.buffer, scale.byteOffset, scale.length);
  const added = addedOf(channels, scale, output);
  if (added) return { ...channels, multiplier, shift: new Int32Array(added.buffer) };
  return { ...channels, multiplier, shift: new Int32Array(scale.length).fill(FLOAT_FACTOR) };
}

/** Each channel's offset and the zero point, never 0; `undefined` where there are none, or products leave the magic number's range. */
function addedOf(channels: Channels, scale: Float32Array, { zeroPoint }: Output): Float32Array | undefined {
  const { min, max, offset } = channels;
  if (offset === undefined) return undefined;
  for (let c = 0; c < scale.length; c++)
    if (!(Math.max(-(min[c] as number), max[c] as number) * (scale[c] as number) < MOST / 2)) return undefined;
  return offset.map((each) => zeroPoint + each || 2 ** -60);
}

/**
 * onnxruntime's rule needs no proof: it is the form "signed" with a half of 0, which rounds to even. Where it pays and holds,
 * "positive" with the zero point in its offset takes two operations less.
 */
function packOnnx(
  channels: Channels,
  scale: Float32Array,
  output: Output,
  pays: boolean,
  packer: Packer,
  recordBytes: number,
) {
  const n = scale.length;
  const panels = Math.ceil(n / PANEL);
  const bytes = new Uint8Array(panels * recordBytes);
  const words = new Int32Array(bytes.buffer);
  const floats = new Float32Array(bytes.buffer);
  const counts = new Map<string, number>();
  const added = addedOf(channels, scale, output);
  const proofs = added ? { a: scale, b: added } : pays ? packer.prove("onnx", channels, output) : undefined;
  for (let panel = 0; panel < panels; panel++) {
    const first = panel * PANEL;
    const end = Math.min(first + PANEL, n);
    let most = 0;
    for (let c = first; c < end; c++)
      most = Math.max(most, Math.max(-(channels.min[c] as number), channels.max[c] as number) * (scale[c] as number));
    const isProven = proofs !== undefined && most < MOST && areProven(proofs, first, end);
    const form: Form = isProven ? "positive" : most < MOST ? "signed" : "exact";
    const rule = channels.rule ?? "onnx";
    const name = isProven ? `${rule} positive` : form === "exact" ? `${rule} exact` : rule;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    let at = (panel * recordBytes) / 4;
    for (let c = first; c < end; c++, at++) {
      words[at] = channels.bias[c] as number;
      floats[at + 8] = (isProven ? proofs.a : scale)[c] as number;
      floats[at + 16] = isProven ? (proofs.b[c] as number) : 0;
      if (form === "exact") words[at + 16] = FLOAT_FACTOR;
      if (recordBytes === 144) words[at + 28] = Math.imul(channels.sum[c] as number, -128);
    }
    words.fill(FORMS.indexOf(form), (panel * recordBytes) / 4 + 24, (panel * recordBytes) / 4 + 28);
  }
  return { bytes, forms: [...counts].map(([name, count]) => `${name} ${count}`).join(", ") };
}

/** True where every channel from `first` to `end` has a proof. */
function areProven({ a }: Proofs, first: number, end: number): boolean {
  for (let c = first; c < end; c++) if (Number.isNaN(a[c])) return false;
  return true;
}

/** The cheaper of the integer forms that holds for all channels of a panel. */
function integerForm({ multiplier, shift, min, max }: Channels, first: number, end: number): Form {
  for (let c = first; c < end; c++) {
    const most = Math.max(-(min[c] as number), max[c] as number);
    if (!fixedHolds(multiplier[c] as number, shift[c] as number, most)) return "exact";
  }
  return "fixed";
}

/**
 * FIXED doubles the accumulator in 32 bits, so |acc| < 2^30, and rounds v = acc·multiplier/2^31 by a float multiply
 * with 2^(−e)(1 + 2^−23): that adds one or two units in the last place, which lifts ties and nothing else while
 * |v| < 2^22. Either no v is larger, or e ≤ 13: then all values up to 383 (int8 and its zero point) come from
 * |v| ≤ 383·2^13 < 2^22, and larger ones clamp. The magic number's range, 2^22, must not be left.
 */
function fixedHolds(multiplier: number, shift: number, most: number): boolean {
  if (shift > 0 || most >= 2 ** 30) return false;
  const v = (most * multiplier) / 2 ** 31;
  return (shift >= -13 || v < 2 ** 22) && v * (halves()[-shift] as number) < 2 ** 21;
}

/** Records of the scalar module, see `assembly/requantize/requantize.scalar.ts`; channels that do not fit one stand after them. */
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
