import { chosen, ensure, kindOf } from "../errors.ts";
import type { TypedArray } from "../tensor.ts";
import { type Fit, fitted, grey, type Picture, resize } from "./picture.ts";
import { type PixelData, pictureOf } from "./pixels.ts";
import { type Port, portText } from "./port.ts";
import { requirePort } from "./quantize.ts";
import type { ArrayOf, TensorInfo } from "./types.ts";

/** What a picture's pixels of 0..255 become: as they are, or real numbers `(pixel − mean) / std` per channel. */
export type Scaling =
  | { readonly kind: "raw" }
  | { readonly kind: "real"; readonly mean: readonly number[]; readonly std: readonly number[] };

const UNIT: Scaling = { kind: "real", mean: [0], std: [255] };
const SIGNED: Scaling = { kind: "real", mean: [127.5], std: [127.5] };

/** Bounds of the element types that a picture can become. */
const BOUNDS = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  float32: [-Infinity, Infinity],
} as const;
type PictureType = keyof typeof BOUNDS;

/**
 * The scaling where none was asked for: raw pixels for uint8 inputs and for int8 inputs of scale 1 or 1/255 and zero
 * point −128; otherwise 0..1, or −1..1 where the input's range reaches as far below zero.
 */
export function defaultScaling(port: Port): Scaling {
  const { dtype, scale, zeroPoint } = port;
  if (dtype === "uint8") return { kind: "raw" };
  if (dtype === "int8" && zeroPoint === -128 && (near(scale, 1) || near(scale, 1 / 255))) return { kind: "raw" };
  if (dtype === "float32" || scale === 0) return UNIT;
  const [low] = BOUNDS[dtype as PictureType];
  return scale * (low - zeroPoint) < -0.5 ? SIGNED : UNIT;
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-4 * b;
}

/** How a scaling reads in a message. */
export function scalingText(scaling: Scaling): string {
  if (scaling.kind === "raw") return "raw pixels";
  if (scaling === UNIT) return "pixels scaled to 0..1";
  if (scaling === SIGNED) return "pixels scaled to -1..1";
  return `(pixel - ${scaling.mean.join(",")}) / ${scaling.std.join(",")}`;
}

/** How a picture becomes an input. */
export interface ImageOptions {
  /** Subtracted from pixels of 0..255: one number, or one per channel. */
  readonly mean?: number | readonly number[];
  /** Then divided by: one number, or one per channel. */
  readonly std?: number | readonly number[];
  /**
   * What to do with a picture of other proportions: `"stretch"` it, the default; `"cover"` the input with its middle;
   * `"contain"` all of it, with black beside.
   */
  readonly fit?: Fit;
}

/**
 * The value of an image input, `[1,H,W,C]` or `[1,C,H,W]` of 1 (grey) or 3 (red, green, blue) channels, from pixels: those of
 * a canvas (`ImageData`), or any with 1, 3 or 4 numbers of 0..255 for each pixel. They are resized bilinearly, become grey
 * (BT.601 luma) for one channel, alpha is composited on black, and all is quantized as the input says. Without `mean` and
 * `std` pixels stay as they are where the input is made for that, else they become 0..1, or −1..1 where it reaches below zero.
 *
 * ```ts
 * const out = model.run([imageInput(model.inputs[0], context.getImageData(0, 0, canvas.width, canvas.height))]);
 * ```
 *
 * Errors: INVALID_INPUT where the input is none of images, or the picture has another number of pixels than it says;
 * INVALID_OPTION.
 */
export function imageInput<P extends TensorInfo>(
  port: P,
  image: PixelData,
  options: ImageOptions = {},
): ArrayOf<P["dtype"]> {
  requirePort("imageInput", port);
  const { fit, mean, std } = Object(options) as ImageOptions;
  for (const name of Object.keys(Object(options))) chosen("imageInput, name of an option", name, OPTIONS);
  if (fit !== undefined) chosen("option fit", fit, FITS);
  checkNumbers("mean", mean, () => true);
  checkNumbers("std", std, (value) => value !== 0);
  const picture = pictureOf(image);
  return preparePicture(picture, port, scalingOf(port, Object(options)), fit) as ArrayOf<P["dtype"]>;
}

const OPTIONS = ["mean", "std", "fit"] as const;
const FITS: readonly Fit[] = ["stretch", "cover", "contain"];

function checkNumbers(option: string, given: ImageOptions["mean"], fits: (value: number) => boolean): void {
  const values: readonly unknown[] = given === undefined ? [] : [given].flat();
  for (const value of values)
    ensure(typeof value === "number" && Number.isFinite(value) && fits(value), "INVALID_OPTION", () => ({
      where: `option ${option}`,
      expected: `a number${fits(0) ? "" : " other than 0"}, or one for each channel`,
      received: kindOf(value),
    }));
}

/** The scaling that was asked for, or the input's own. */
function scalingOf(port: Port, { mean, std }: Pick<ImageOptions, "mean" | "std">): Scaling {
  if (mean === undefined && std === undefined) return defaultScaling(port);
  return { kind: "real", mean: [mean ?? 0].flat(), std: [std ?? 1].flat() };
}

/** Makes a picture the value of an image input: see `imageInput`. */
export function preparePicture(picture: Picture, port: Port, scaling: Scaling, fit: Fit = "stretch"): TypedArray {
  const { height, width, channels, planar } = imageShape(port);
  const resized = resize(fitted(picture, width, height, fit), width, height);
  const interleaved = channels === 1 ? grey(resized) : resized.data;
  const pixels = planar && channels === 3 ? planes(interleaved) : interleaved;
  const channelOf = (i: number) => (planar ? Math.floor(i / (width * height)) : i % channels);
  const store = storage(port, pixels.length);
  if (scaling.kind === "raw") {
    const offset = port.dtype === "int8" ? -128 : 0;
    for (const [i, pixel] of pixels.entries()) store[i] = Math.floor(pixel + 0.5) + offset;
    return store;
  }
  const mean = perChannel(scaling.mean, channels, "mean");
  const std = perChannel(scaling.std, channels, "std");
  for (const [i, pixel] of pixels.entries())
    store[i] = quantize((pixel - (mean[channelOf(i)] as number)) / (std[channelOf(i)] as number), port);
  return store;
}

interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** One plane after the other, `[C,H,W]`. */
  readonly planar: boolean;
}

/** The form of an image input; an error where the input has another. */
export function imageShape(port: Port): ImageShape {
  const sizes = port.shape.length === 4 && port.shape[0] === 1 ? port.shape.slice(1) : port.shape;
  const [first = 0, middle = 0, last = 0] = sizes;
  const isCount = (size: number): size is 1 | 3 => size === 1 || size === 3;
  const form = isCount(last)
    ? { height: first, width: middle, channels: last, planar: false }
    : isCount(first)
      ? { height: middle, width: last, channels: first, planar: true }
      : undefined;
  ensure(
    form !== undefined && sizes.length === 3 && form.height * form.width > 1 && port.dtype in BOUNDS,
    "INVALID_INPUT",
    () => ({
      where: `input ${portText(port)}`,
      expected: "an image input [1,height,width,1 or 3] of int8, uint8, int16 or float32 for a picture",
      received: `${port.dtype} [${port.shape.join(",")}]`,
      hint: "Give this input the typed array of its own elements; on the command line, raw bytes in a .bin file.",
    }),
  );
  return form;
}

/** `[H,W,3]` as `[3,H,W]`. */
function planes(interleaved: Float32Array): Float32Array {
  const size = interleaved.length / 3;
  return interleaved.map((_, i) => interleaved[(i % size) * 3 + Math.floor(i / size)] as number);
}

function storage(port: Port, length: number): TypedArray {
  switch (port.dtype as PictureType) {
    case "int8":
      return new Int8Array(length);
    case "uint8":
      return new Uint8Array(length);
    case "int16":
      return new Int16Array(length);
    case "float32":
      return new Float32Array(length);
  }
}

function perChannel(values: readonly number[], channels: number, option: string): readonly number[] {
  ensure(values.length === 1 || values.length === channels, "INVALID_OPTION", () => ({
    where: option,
    expected: channels === 1 ? "one number" : `one number, or one for each of ${channels} channels`,
    received: `${values.length} numbers`,
  }));
  return values.length === channels ? values : Array.from({ length: channels }, () => values[0] as number);
}

/**
 * `floor(real/scale + zeroPoint + 1/2)`, saturated. Ties go up, and what is within 1e-4 of a tie is one: stored scales are
 * float32, and 2/255 for −1..1 puts every pixel on a tie, which must give `pixel − 128`.
 */
function quantize(real: number, { dtype, scale, zeroPoint }: Port): number {
  if (dtype === "float32") return real;
  const [low, high] = BOUNDS[dtype as PictureType];
  const q = Math.floor((scale === 0 ? real : real / scale) + zeroPoint + 0.5 + 1e-4);
  return Math.min(Math.max(q, low), high);
}
