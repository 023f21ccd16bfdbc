/** AudioSpectrogram and Mfcc on the host, in double precision as TFLite's kernels compute them. */
import type { TypedArray } from "../tensor.ts";

/** Makes the outputs of the inputs. */
type Features = (inputs: readonly TypedArray[], output: Float32Array) => void;

/** What was prepared for an operator, by its options. */
const PREPARED = new WeakMap<Uint8Array, Features>();

/** Options as the importer writes them. */
export function run(inputs: readonly TypedArray[], [output]: readonly TypedArray[], options: Uint8Array): void {
  let features = PREPARED.get(options);
  if (features === undefined) {
    const [kind, a, b, c, d] = new Float64Array(options.slice().buffer) as unknown as readonly [
      number,
      number,
      number,
      number,
      number,
    ];
    features = kind === 0 ? spectrogram(a, b, c) : cepstrum(a, b, c, d);
    PREPARED.set(options, features);
  }
  features(inputs, output as Float32Array);
}

/** Powers at each frequency, or their roots, of windows of samples. */
function spectrogram(window: number, step: number, squared: number): Features {
  const size = 2 ** Math.ceil(Math.log2(window));
  const bins = size / 2 + 1;
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const transform = fourier(size);
  return ([samples], output) => {
    for (let frame = 0; frame * bins < output.length; frame++) {
      re.fill(0);
      im.fill(0);
      for (let i = 0; i < window; i++)
        re[i] = ((samples as Float32Array)[frame * step + i] as number) * (hann[i] as number);
      transform(re, im);
      for (let bin = 0; bin < bins; bin++) {
        const power = Math.fround((re[bin] as number) ** 2 + (im[bin] as number) ** 2);
        output[frame * bins + bin] = squared ? power : Math.sqrt(power);
      }
    }
  };
}

/** Cooley's and Tukey's transform in place, of a power of two. */
function fourier(size: number): (re: Float64Array, im: Float64Array) => void {
  const turns = Float64Array.from({ length: size }, (_, i) => Math.cos((Math.PI * i) / size));
  const reversed = new Uint32Array(size);
  for (let i = 1; i < size; i++) reversed[i] = ((reversed[i >> 1] as number) >> 1) | (i & 1 ? size >> 1 : 0);
  return (re, im) => {
    for (let i = 0; i < size; i++) {
      const j = reversed[i] as number;
      if (i < j) [re[i], re[j]] = [re[j] as number, re[i] as number];
    }
    for (let half = 1; half < size; half *= 2)
      for (let k = 0; k < half; k++) {
        // e^(−πi·k/half)
        const at = (size / half) * k;
        const cos = turns[at] as number;
        const sin = -Math.sin((Math.PI * k) / half);
        for (let i = k; i < size; i += 2 * half) {
          const [a, b] = [re[i + half] as number, im[i + half] as number];
          const [x, y] = [a * cos - b * sin, a * sin + b * cos];
          re[i + half] = (re[i] as number) - x;
          im[i + half] = (im[i] as number) - y;
          re[i] = (re[i] as number) + x;
          im[i] = (im[i] as number) + y;
        }
      }
  };
}

const mel = (hertz: number) => 1127 * Math.log1p(hertz / 700);

/** The share of each bin that belongs to the channel below, and which this is: −1 below the first; undefined where bins end before the limit. */
function bank(bins: number, rate: number, upper: number, lower: number, channels: number) {
  const [low, width] = [mel(lower), (mel(upper) - mel(lower)) / (channels + 1)];
  const centre = (channel: number) => low + width * (channel + 1);
  const hertz = (0.5 * rate) / (bins - 1);
  const [first, last] = [Math.trunc(1.5 + lower / hertz), Math.trunc(upper / hertz)];
  if (!(rate > 0) || last >= bins) return undefined;
  const [below, share] = [new Int32Array(bins), new Float64Array(bins)];
  for (let bin = first, next = 0; bin <= last; bin++) {
    while (next < channels && centre(next) < mel(bin * hertz)) next++;
    below[bin] = next - 1;
    share[bin] = (centre(next) - mel(bin * hertz)) / width;
  }
  return { first, last, below, share };
}

/** Cepstra by a filter bank along the mel scale; zeros where the sample rate is too low for it. */
function cepstrum(upper: number, lower: number, channels: number, coefficients: number): Features {
  const norm = Math.sqrt(2 / channels);
  const cosines = Float64Array.from({ length: coefficients * channels }, (_, i) => {
    const [k, j] = [Math.floor(i / channels), i % channels];
    return norm * Math.cos(((k * Math.PI) / channels) * (j + 0.5));
  });
  const sums = new Float64Array(channels);
  let known = { key: "", bank: undefined as ReturnType<typeof bank> };
  return ([powers, rates], output) => {
    const frames = output.length / coefficients;
    const bins = (powers as Float32Array).length / frames;
    const rate = Number(rates?.[0]);
    const key = `${bins} ${rate}`;
    if (frames > 0 && known.key !== key) known = { key, bank: bank(bins, rate, upper, lower, channels) };
    output.fill(0);
    if (known.bank === undefined) return;
    const { first, last, below, share } = known.bank;
    for (let frame = 0; frame < frames; frame++) {
      sums.fill(0);
      for (let bin = first; bin <= last; bin++) {
        const value = Math.sqrt((powers as Float32Array)[frame * bins + bin] as number);
        const part = value * (share[bin] as number);
        const channel = below[bin] as number;
        if (channel >= 0) sums[channel] = (sums[channel] as number) + part;
        if (channel + 1 < channels) sums[channel + 1] = (sums[channel + 1] as number) + value - part;
      }
      for (let i = 0; i < channels; i++) sums[i] = Math.log(Math.max(sums[i] as number, 1e-12));
      for (let k = 0; k < coefficients; k++) {
        let sum = 0;
        for (let i = 0; i < channels; i++) sum += (cosines[k * channels + i] as number) * (sums[i] as number);
        output[frame * coefficients + k] = sum;
      }
    }
  };
}
