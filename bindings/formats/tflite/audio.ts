/** AudioSpectrogram and Mfcc of speech models, which run on the host: the sample rate is an input. Source: TFLite's kernels. */
import { ensure } from "../../errors.ts";
import type { AnyNode, Node } from "../../graph.ts";
import { listText, type TensorType } from "../../tensor.ts";
import { readFlexMap } from "./flexbuffer.ts";

/** What the host runs; its options are float64: 0, window, step, and 1 where powers stay squared; or 1, the limits in hertz, channels, coefficients. */
const NAME = "Audio";
const [MOST_WINDOW, MOST_STEP, MOST_CHANNELS] = [2 ** 16, 2 ** 31 - 1, 4096];

type Parts = Omit<Node<"custom">, "kind" | "attributes">;
type Bounds = Readonly<Record<string, readonly [least: number, most: number]>>;
type Shape = readonly number[];

/** The importers by their names. */
export const AUDIO_OPERATORS: ReadonlyMap<string, (parts: Parts, bytes: Uint8Array) => AnyNode> = new Map([
  ["AudioSpectrogram", spectrogram],
  ["Mfcc", cepstrum],
]);

/** float32 samples `[n, 1]` → `[1, frames, bins]`: what a Hann window's Fourier transform has at each frequency. INVALID_MODEL. */
function spectrogram(parts: Parts, bytes: Uint8Array): AnyNode {
  const options = readFlexMap(bytes, parts.where);
  const bounds = { window_size: [2, MOST_WINDOW], stride: [1, MOST_STEP] } as const;
  const [window = 2, step = 1] = optionsOf(options, bounds, parts.where);
  const squared = options.get("magnitude_squared");
  const bins = 2 ** Math.ceil(Math.log2(window)) / 2 + 1;
  return audio(parts, [0, window, step, squared === true || squared === 1 ? 1 : 0], ([samples]) => {
    const { dtype, shape } = samples ?? NOTHING;
    const fits = dtype === "float32" && shape.length === 2 && shape[1] === 1;
    requireInput(parts, fits, "float32 [n, 1]", samples);
    const rest = (shape[0] as number) - window;
    return [1, rest < 0 ? 0 : 1 + Math.floor(rest / step), bins];
  });
}

/** A spectrogram and its sample rate, int32 → the cosine transform of the logarithms of its powers along the mel scale. INVALID_MODEL. */
function cepstrum(parts: Parts, bytes: Uint8Array): AnyNode {
  const bounds = {
    upper_frequency_limit: [1, 2 ** 24],
    lower_frequency_limit: [0, 2 ** 24],
    filterbank_channel_count: [1, MOST_CHANNELS],
    dct_coefficient_count: [1, MOST_CHANNELS],
  } as const;
  const values = optionsOf(readFlexMap(bytes, parts.where), bounds, parts.where);
  const [upper = 1, lower = 0, channels = 1, coefficients = 1] = values;
  ensure(lower < upper && coefficients <= channels, "INVALID_MODEL", () => ({
    where: `${parts.where}, options`,
    expected: "a lower limit below the upper one, no more coefficients than channels",
    received: `${lower}, ${upper}, ${coefficients}, ${channels}`,
  }));
  return audio(parts, [1, ...values], ([powers, rate]) => {
    const { dtype, shape } = powers ?? NOTHING;
    requireInput(
      parts,
      dtype === "float32" && shape.length === 3 && (shape[2] as number) >= 2,
      "float32 of 3 dimensions",
      powers,
    );
    requireInput(parts, rate?.dtype === "int32" && rate.shape.every((size) => size === 1), "one int32", rate);
    return [...shape.slice(0, 2), coefficients];
  });
}

const NOTHING: TensorType = { dtype: "bool", shape: [] };

function audio(parts: Parts, options: readonly number[], shapeOf: (inputs: readonly TensorType[]) => Shape): AnyNode {
  const infer = (inputs: readonly TensorType[]) => [{ dtype: "float32", shape: shapeOf(inputs) }] as const;
  const bytes = new Uint8Array(Float64Array.from(options).buffer);
  return { kind: "custom", ...parts, attributes: { name: NAME, options: bytes, infer } };
}

function requireInput({ where }: Parts, holds: boolean, expected: string, given: TensorType | undefined): void {
  ensure(holds, "UNSUPPORTED", () => ({
    where,
    expected,
    received: given ? `${given.dtype} ${listText(given.shape)}` : "none",
  }));
}

/** Whole numbers by their keys. */
function optionsOf(values: ReturnType<typeof readFlexMap>, bounds: Bounds, where: string): readonly number[] {
  return Object.entries(bounds).map(([key, [least, most]]) => {
    const value = values.get(key);
    const whole = typeof value === "number" ? Math.trunc(value) : Number.NaN;
    ensure(whole >= least && whole <= most, "INVALID_MODEL", () => ({
      where: `${where}, options`,
      expected: `"${key}" from ${least} to ${most}`,
      received: String(value),
    }));
    return whole;
  });
}
