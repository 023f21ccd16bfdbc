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

/** The records of all channels, and how many panels took each form (`folded` or `exact` channels in the scalar module). */
export function packRecords(
  module: ModuleName,
  channels: Channels,
  output: Output,
  depth: number,
): { readonly bytes: Uint8Array; readonly forms: string } {
  return module === "scalar"
    ? packScalar(channels, output)
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

/** Records of the scalar module, see `assembly/scalar/requantize.ts`. */
function packScalar(channels: Channels, { zeroPoint }: Output) {
  const n = channels.bias.length;
  const bytes = new Uint8Array(n * 40);
  const view = new DataView(bytes.buffer);
  let folded = 0;
  for (let i = 0; i < n; i++) {
    const at = i * 40;
    const { multiplier, shift, min, max } = stepOf(channels, i);
    const bias = channels.bias[i] as number;
    const e = -shift;
    if (e >= 0 && e <= 20 && min >= -(2 ** 31) && max < 2 ** 31) {
      const m = BigInt(multiplier);
      const start = BigInt(bias) * m + (1n << 30n);
      const second = (e > 0 ? 1n << BigInt(30 + e) : 0n) + (BigInt(zeroPoint) << BigInt(31 + e));
      view.setBigInt64(at, start + second, true);
      view.setBigInt64(at + 8, m, true);
      view.setBigInt64(at + 16, BigInt(31 + e), true);
      view.setBigInt64(at + 24, e > 0 ? second : -(1n << 63n), true);
      view.setUint32(at + 32, 1, true);
      folded++;
    } else {
      view.setInt32(at + 8, multiplier, true);
      view.setInt32(at + 16, shift, true);
    }
    view.setInt32(at + 36, bias, true);
  }
  return { bytes, forms: folded === n ? "folded" : `folded ${folded}, exact ${n - folded}` };
}
