/** What requantization, its proofs and packing say to each other. */
import type { Range } from "./quantization.ts";

/**
 * What the packer knows of each output channel: its bias with the input's zero point folded in, its fixed-point
 * multiplier, and the least and greatest accumulator that any input can give. Struct of arrays, one entry per channel.
 */
export interface Channels {
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  readonly shift: Int32Array;
  /** float32 factors by onnxruntime's rule, in place of multiplier and shift: rint(f32(acc)·scale), half to even. */
  readonly scale?: Float32Array | undefined;
  /** Of that rule: steps that are added before rounding. */
  readonly offset?: Float32Array | undefined;
  /** What the factors are called where they follow another rule. */
  readonly rule?: "once";
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Sum of the channel's weights. */
  readonly sum: Int32Array;
  /** How many weights of all channels are zero. */
  readonly zeros: number;
}

/** Factors of onnxruntime's rule, and what is added to the products: one of all channels, or one each. */
export type NearestFactors = { readonly scale: Float32Array; readonly offset?: Float32Array };

/** The output's zero point and clamp. */
export interface Output extends Range {
  readonly zeroPoint: number;
}

/**
 * The forms that are looked for, "onnx" being "positive" by that rule, of `scale`, and "once" by one rounding of the multiplier;
 * see `assembly/requantize/requantize.simd.ts`.
 */
type FloatForm = "signed" | "positive" | "onnx" | "once";

/** Two values for each channel, as a record of the vector modules holds them; NaN where no proof was found. */
export interface Proofs {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/** What is known of rows of weights. */
interface RowSums {
  /** Of each row. */
  readonly sum: Int32Array;
  /** Of each row's absolute values. */
  readonly size: Int32Array;
  /** How many weights of all rows are zero. */
  readonly zeros: number;
}

/** Bytes that are written where they will stand. */
export interface Packing {
  readonly length: number;
  /** Writes all of them. */
  write(target: Uint8Array): void;
}

/** Who does the longest of the work of planning. Opaque: `loadPacker` gives it, `planGraph` takes it. */
export interface Packer {
  /** @internal One of the float forms for every channel. */
  prove(form: FloatForm, channels: Channels, output: Output): Proofs;
  /** @internal Sums of n rows of k weights. */
  sumRows(data: Int8Array, n: number, k: number): RowSums;
  /** @internal Panels `[n/8][k/KR][8][KR]` of B, int8 `[n][k]`, zero beyond n and k, into the target. */
  packPanels(kr: 2 | 4, b: Int8Array, n: number, k: number, target: Uint8Array): void;
}
